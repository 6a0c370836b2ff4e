"""Full fine-tuning: every weight of the blocks is learned."""

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
class Full:
    """Learns the blocks; embeddings, stem and the norms before and after the blocks stay."""

    layers: Layers

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Returns every parameter of the chosen blocks."""
        blocks = backbone.select(self.layers)
        return [parameter for block in blocks for parameter in block.module.parameters()]


def build(config: BlocksConfig, ctx: BuildContext) -> Full:
    """Builds the method."""
    return Full(config.layers)


FULL = MethodSpec(
    name="full",
    summary="every weight of the blocks is learned",
    config=BlocksConfig,
    build=build,
    reference="arXiv:2504.13282",
    token_wise=True,
    recipe=recipe({"train.lr": 0.001}, places_lt={"train.lr": 0.002}),
)
