"""CLIP-Adapter: a learned bottleneck on the image features, mixed with the features themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

from ltbench import BuildContext, MethodSpec, option
from ltbench_plugins.methods.recipes import COOP_TRAINING, recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class ClipAdapterConfig:
    """Options of CLIP-Adapter."""

    ratio: Annotated[float, Ge(0), Le(1)] = option(0.2, "share of the adapted features")
    reduction: Annotated[int, Gt(0)] = option(4, "feature width over bottleneck width")


@dataclass(frozen=True)
class ClipAdapter:
    """Features (1 - a) x + a relu(W_2 relu(W_1 x)) in the space shared with the text.

    New weights: W_1 (width / 4, width) and W_2 (width, width / 4). The class weights are the text
    features and stay. The paper has a second adapter on the text side and does without it.

    The published code (github.com/gaopengcuhk/CLIP-Adapter) is a trainer for CoOp's command: SGD
    with a learning rate of 0.002, batches of 32, one warm-up epoch at 1e-5, and a cosine that
    changes with the epoch (configs/trainers/CoOp in github.com/KaiyangZhou/CoOp). The paper names a
    learning rate of 1e-5; the recipe follows the code.
    """

    config: ClipAdapterConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the bottleneck behind the encoder and returns its weights."""
        from ltbench_plugins.modules.features import FeatureAdapter

        adapter = FeatureAdapter(backbone.width, self.config.reduction, self.config.ratio)
        backbone.add_module("clip_adapter", adapter)
        backbone.register_forward_hook(adapter.mix)
        return list(adapter.parameters())


def build(config: ClipAdapterConfig, ctx: BuildContext) -> ClipAdapter:
    """Builds the method."""
    return ClipAdapter(config)


CLIP_ADAPTER = MethodSpec(
    name="clip_adapter",
    summary="a learned bottleneck on the features of a CLIP; the text classifier stays",
    config=ClipAdapterConfig,
    build=build,
    reference="arXiv:2110.04544",
    token_wise=True,
    learns_head=False,
    joint=True,
    identity_at_start=False,
    fixed={"head": "cosine", "head.scale": None, "init": "semantic"},
    recipe=recipe(COOP_TRAINING),
)
