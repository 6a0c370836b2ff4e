"""BALLAD: a CLIP is trained on with the class names, then a balanced linear adapter is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import BuildContext, MethodSpec, NoOptions, Recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


class Ballad:
    """Logits s * cos(x, t_k), with t_k the text feature of "a photo of a {name k}.".

    Phase A, the training: cross entropy over the K classes, on the images as they are; every weight
    of the image encoder and of the text tower is learned. Phase B, refinement `linear_adapter`:
    both stay, and a matrix W of the features a W x + (1 - a) x is learned, a = 0.2, on
    class-balanced images. The head is `text_tower`; phase A encodes K texts in each step.

    Optimizer, rates and epochs of both phases are those of the published code for ImageNet-LT
    (github.com/gaopengcuhk/BALLAD), which takes the scale s = 100 of OpenAI's weights; here it is
    the backbone's. Departures: balanced images are drawn independently, not four of a class in a
    row; the last epoch is kept, not the best on validation images (`--select val`, phase A alone);
    an epoch of phase A starts with the full rate, where that code steps its schedule first.
    """

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Returns every weight of the image encoder."""
        learned = list(backbone.model.parameters())
        return learned if backbone.projection is None else [*learned, backbone.projection]


def build(config: NoOptions, ctx: BuildContext) -> Ballad:
    """Builds the method."""
    return Ballad()


BALLAD = MethodSpec(
    name="ballad",
    summary="a whole CLIP is trained on with its texts, then a balanced linear adapter",
    build=build,
    reference="arXiv:2111.14745",
    token_wise=True,
    joint=True,
    fixed={"head": "text_tower", "init": "semantic", "refinement": "linear_adapter"},
    recipe=Recipe(
        settings={
            "loss": "ce",
            "optimizer": "sgd",
            "schedule": "cosine_per_epoch",
            "train.lr": 1e-5,
            "train.epochs": 50,
            "train.batch_size": 512,
            "refinement": "linear_adapter",
            "refinement.lr": 0.2,
            "refinement.epochs": 10,
        }
    ),
)
