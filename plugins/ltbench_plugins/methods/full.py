"""Full fine-tuning: every weight of the blocks is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, Layers, MethodSpec, Recipe, option

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class FullConfig:
    """Options of full fine-tuning."""

    layers: Layers = option("all", "blocks: all, the last k, or a list from 0")


@dataclass(frozen=True)
class Full:
    """Learns the blocks; embeddings, stem and the norms before and after the blocks stay."""

    layers: Layers

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Returns every parameter of the chosen blocks."""
        blocks = backbone.select(self.layers)
        return [parameter for block in blocks for parameter in block.module.parameters()]


def build(config: FullConfig, ctx: BuildContext) -> Full:
    """Builds the method."""
    return Full(config.layers)


FULL = MethodSpec(
    name="full",
    summary="every weight of the blocks is learned",
    config=FullConfig,
    build=build,
    reference="arXiv:2504.13282",
    recipe=Recipe(settings={"train.lr": 0.001}, by_dataset={"places_lt": {"train.lr": 0.002}}),
)
