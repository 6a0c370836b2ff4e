"""AdaptFormer: a small learned bottleneck beside the MLP of each block."""

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
class AdaptFormerConfig(BlocksConfig):
    """Options of AdaptFormer."""

    dim: Size | None = option(
        None, "width of the bottleneck; none: 2^floor(log2(K / (2 L))), at least 1, for L blocks"
    )


@dataclass(frozen=True)
class AdaptFormer:
    """MLP(LN2(h)) + s * up(relu(down(LN(h)))) in each block, on the residual stream h.

    New weights: LN, down (dim, width), up (width, dim), s, per block. `up` starts at 0.
    """

    num_classes: int
    config: AdaptFormerConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the bottlenecks and returns their parameters."""
        from ltbench_plugins.modules.bottlenecks import ParallelAdapter

        blocks = backbone.select(self.config.layers)
        dim = self.config.dim or automatic_size(self.num_classes / (2 * len(blocks)))
        return [p for block in blocks for p in ParallelAdapter(block.width, dim).attach(block)]


def build(config: AdaptFormerConfig, ctx: BuildContext) -> AdaptFormer:
    """Builds the method."""
    return AdaptFormer(ctx.num_classes, config)


ADAPTFORMER = MethodSpec(
    name="adaptformer",
    summary="a learned bottleneck beside each block's MLP",
    config=AdaptFormerConfig,
    build=build,
    reference="arXiv:2205.13535",
    token_wise=True,
    recipe=recipe(),
    version=2,
)
