"""BN-tuning: the batch norms of each block are learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, Layers, MethodSpec
from ltbench.errors import NothingMatchedError
from ltbench_plugins.methods.options import BlocksConfig
from ltbench_plugins.methods.recipes import recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class BnTuning:
    """Learns g and b of BN(x) = g * (x - mean) / std + b, for each channel of x (B, C, H, W).

    mean and std stay the pretrained running statistics, in training too, as with every method here.
    LIFT's published code differs in this for `bn_tuning` alone: there the learned batch norms use
    the statistics of the batch and update the running ones. Here the features of an image depend
    on no other image, and the learned weights are the whole result. The norms of the stem, before
    the blocks, stay, as in LIFT+'s code.
    """

    layers: Layers

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Returns weights and biases of the batch norms of the chosen blocks."""
        from torch import nn

        batch_norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
        blocks = [block.module for block in backbone.select(self.layers)]
        norms = [m for block in blocks for m in block.modules() if isinstance(m, batch_norms)]
        learned = [parameter for norm in norms for parameter in norm.parameters()]
        if not learned:
            raise NothingMatchedError(
                f"the backbone's {type(blocks[0]).__name__} blocks have no batch norms to learn",
                hint="take method ln_tuning for a vision transformer, or a residual network",
            )
        return learned


def build(config: BlocksConfig, ctx: BuildContext) -> BnTuning:
    """Builds the method."""
    return BnTuning(config.layers)


BN_TUNING = MethodSpec(
    name="bn_tuning",
    summary="weight and bias of each block's batch norms are learned (residual networks)",
    config=BlocksConfig,
    build=build,
    reference="arXiv:2309.10019",
    recipe=recipe(),
)
