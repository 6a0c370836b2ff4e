"""LoRA: learned low-rank terms beside projections of each block's attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import MinLen

from ltbench import BuildContext, MethodSpec, option
from ltbench_plugins.methods.options import BlocksConfig, Size
from ltbench_plugins.methods.recipes import recipe
from ltbench_plugins.methods.sizes import automatic_size

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class LoraConfig(BlocksConfig):
    """Options of LoRA."""

    dim: Size | None = option(
        None, "rank r; none: 2^floor(log2(K / (4 L))), at least 1, for L blocks"
    )
    targets: Annotated[tuple[Literal["q", "k", "v", "out"], ...], MinLen(1)] = option(
        ("q", "v"), "which projections: to query, key and value, and the one after attention"
    )


@dataclass(frozen=True)
class Lora:
    """q + x A B / r for each target in each block, where q is the frozen projection of x.

    New weights: A (width, r), uniform in +-1/sqrt(r), and B (r, width), which starts at 0. As in
    LIFT's code A is stored in this shape, which sets the bound, and the factor is 1/r.
    """

    num_classes: int
    config: LoraConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the low-rank terms and returns their parameters."""
        from ltbench_plugins.modules.lora import AttentionLoRA

        blocks, targets = backbone.select(self.config.layers), self.config.targets
        rank = self.config.dim or automatic_size(self.num_classes / (4 * len(blocks)))
        return [p for b in blocks for p in AttentionLoRA(b.width, rank, targets).attach(b)]

    def merge(self, backbone: Backbone) -> None:
        """Adds A B / r to the weights of the projections."""
        from ltbench_plugins.modules.lora import AttentionLoRA

        for block in backbone.select(self.config.layers):
            terms = block.module.lora
            assert isinstance(terms, AttentionLoRA)
            terms.merge(block)


def build(config: LoraConfig, ctx: BuildContext) -> Lora:
    """Builds the method."""
    return Lora(ctx.num_classes, config)


LORA = MethodSpec(
    name="lora",
    summary="learned low-rank terms beside projections of each block's attention",
    config=LoraConfig,
    build=build,
    reference="arXiv:2106.09685",
    token_wise=True,
    recipe=recipe(),
    version=2,
    examples=({}, {"targets": ("q", "k", "v", "out")}),
)
