"""LoRA: learned low-rank terms beside Linears of each block, by default of its attention."""

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

Target = Literal["q", "k", "v", "out", "mlp_in", "mlp_out"]


@dataclass(frozen=True)
class LoraConfig(BlocksConfig):
    """Options of LoRA."""

    dim: Size | None = option(
        None, "rank r; none: 2^floor(log2(K / (4 L))), at least 1, for L blocks"
    )
    targets: Annotated[tuple[Target, ...], MinLen(1)] = option(
        ("q", "v"),
        "which Linears: to query, key and value, the one after attention, and the MLP's two",
    )


@dataclass(frozen=True)
class Lora:
    """y + x A B / r for each target in each block, where y is the frozen Linear's output for x.

    New weights: A (inputs, r), uniform in +-1/sqrt(r), and B (r, outputs), which starts at 0. As in
    LIFT's code A is stored in this shape, which sets the bound, and the factor is 1/r. The MLP's
    targets are LIFT's `lora_mlp`. No target changes the rule for r, although a term of the MLP has
    2.5 times the weights of one of the attention. Gate and value of a gated MLP share one term.
    """

    num_classes: int
    config: LoraConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the low-rank terms and returns their parameters."""
        from ltbench_plugins.modules.lora import BlockLoRA

        blocks, targets = backbone.select(self.config.layers), self.config.targets
        rank = self.config.dim or automatic_size(self.num_classes / (4 * len(blocks)))
        return [p for b in blocks for p in BlockLoRA(b, rank, targets).attach(b)]

    def merge(self, backbone: Backbone) -> None:
        """Adds A B / r to the weights of the Linears."""
        from ltbench_plugins.modules.lora import BlockLoRA

        for block in backbone.select(self.config.layers):
            terms = block.module.lora
            assert isinstance(terms, BlockLoRA)
            terms.merge(block)


def build(config: LoraConfig, ctx: BuildContext) -> Lora:
    """Builds the method."""
    return Lora(ctx.num_classes, config)


LORA = MethodSpec(
    name="lora",
    summary="learned low-rank terms beside projections of each block's attention, or its MLP",
    config=LoraConfig,
    build=build,
    reference="arXiv:2106.09685",
    token_wise=True,
    recipe=recipe(),
    version=2,
    examples=(
        {},
        {"targets": ("q", "k", "v", "out")},
        {"targets": ("q", "v", "mlp_in", "mlp_out")},
    ),
)
