"""LN-tuning: the two norms of each block are learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, Layers, MethodSpec
from ltbench_plugins.methods.options import BlocksConfig
from ltbench_plugins.methods.recipes import recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class LnTuning:
    """Learns g and b of LN(x) = g * (x - mean) / std + b, before attention and before the MLP.

    The norms before and after all blocks stay, as with every method here.
    """

    layers: Layers

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Returns weights and biases of the norms of the chosen blocks."""
        blocks = backbone.select(self.layers)
        norms = [norm for block in blocks for norm in (block["norm1"], block["norm2"])]
        return [parameter for norm in norms for parameter in norm.parameters()]


def build(config: BlocksConfig, ctx: BuildContext) -> LnTuning:
    """Builds the method."""
    return LnTuning(config.layers)


LN_TUNING = MethodSpec(
    name="ln_tuning",
    summary="weight and bias of each block's layer norms are learned",
    config=BlocksConfig,
    build=build,
    reference="arXiv:2312.11420",
    token_wise=True,
    recipe=recipe(),
)
