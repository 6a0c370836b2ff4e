"""AdaptFormer: a small learned bottleneck beside the MLP of each block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Gt

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
    scale: Literal["learned"] | Annotated[float, Gt(0)] = option(
        "learned",
        "factor s of the bottleneck's output: learned from 1, or a fixed number such as 0.1",
        added=True,
    )


@dataclass(frozen=True)
class AdaptFormer:
    """MLP(LN2(h)) + s * up(relu(down(LN(h)))) in each block, on the residual stream h.

    New weights: LN, down (dim, width), up (width, dim), s, per block. `up` starts at 0. As in
    LIFT's code s is learned and there is a norm inside; AdaptFormer's own paper has s = 0.1
    (`scale=0.1`) and no norm.
    """

    num_classes: int
    config: AdaptFormerConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the bottlenecks and returns their parameters."""
        from ltbench_plugins.modules.bottlenecks import ParallelAdapter

        blocks = backbone.select(self.config.layers)
        dim = self.config.dim or automatic_size(self.num_classes / (2 * len(blocks)))
        scale = None if self.config.scale == "learned" else self.config.scale
        return [p for b in blocks for p in ParallelAdapter(b.width, dim, scale).attach(b)]


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
    examples=({}, {"scale": 0.1}),
)
