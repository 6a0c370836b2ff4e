"""Adapter: a small learned bottleneck after the MLP of each block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, MethodSpec, option
from ltbench_plugins.methods.options import BlocksConfig, Size
from ltbench_plugins.methods.recipes import recipe
from ltbench_plugins.methods.sizes import automatic_size

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class AdapterConfig(BlocksConfig):
    """Options of the adapters."""

    dim: Size | None = option(
        None, "width of the bottleneck; none: 2^floor(log2(K / (2 L))), at least 1, for L blocks"
    )


@dataclass(frozen=True)
class Adapter:
    """m + up(relu(down(LN(m)))) in each block, where m is the output of its MLP.

    New weights: LN, down (dim, width), up (width, dim), per block. `up` starts at 0. As in LIFT's
    code there is a norm inside, and no second adapter after the attention as in the adapters' own
    paper.
    """

    num_classes: int
    config: AdapterConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the bottlenecks and returns their parameters."""
        from ltbench_plugins.modules.bottlenecks import SequentialAdapter

        blocks = backbone.select(self.config.layers)
        dim = self.config.dim or automatic_size(self.num_classes / (2 * len(blocks)))
        return [p for block in blocks for p in SequentialAdapter(block.width, dim).attach(block)]


def build(config: AdapterConfig, ctx: BuildContext) -> Adapter:
    """Builds the method."""
    return Adapter(ctx.num_classes, config)


ADAPTER = MethodSpec(
    name="adapter",
    summary="a learned bottleneck after each block's MLP",
    config=AdapterConfig,
    build=build,
    reference="arXiv:1902.00751",
    token_wise=True,
    recipe=recipe(),
    version=2,
)
