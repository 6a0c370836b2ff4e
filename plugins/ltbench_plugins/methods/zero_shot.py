"""Zero-shot: nothing is learned; the class names alone make the classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import BuildContext, MethodSpec, NoOptions

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


class ZeroShot:
    """Logits exp(logit_scale) * cos(image, text), both in the space that they share."""

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Returns no parameters."""
        return []


def build(config: NoOptions, ctx: BuildContext) -> ZeroShot:
    """Builds the method."""
    return ZeroShot()


ZERO_SHOT = MethodSpec(
    name="zero_shot",
    summary="nothing is learned: image against class name",
    build=build,
    reference="arXiv:2103.00020",
    token_wise=True,
    learns_head=False,
    seedless=True,
    joint=True,
    fixed={"head": "cosine", "head.scale": None, "init": "semantic", "train.epochs": 0},
)
