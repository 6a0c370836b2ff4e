"""AFT, arbitrary lightweight fine-tuning: a random fraction of the blocks' weights is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from ltbench import BuildContext, MethodSpec, option
from ltbench.errors import ConfigError
from ltbench_plugins.methods.options import BlocksConfig
from ltbench_plugins.methods.recipes import recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone, Role

MaskSeed = Annotated[int, Ge(0), Le(2**63 - 1)]
Part = Literal["both", "attention", "mlp"]

# The roles, and how many entries they have in a block of width d: d (a d + b), given as (a, b).
PARTS: dict[Part, tuple[tuple[Role, ...], int, int]] = {
    "both": (("qkv", "attn_out", "mlp_in", "mlp_out"), 12, 9),
    "attention": (("qkv", "attn_out"), 4, 4),
    "mlp": (("mlp_in", "mlp_out"), 8, 5),
}


@dataclass(frozen=True)
class AftConfig(BlocksConfig):
    """Options of arbitrary lightweight fine-tuning."""

    ratio: Annotated[float, Gt(0), Le(1)] | None = option(
        None, "fraction learned of each tensor; none: about as many entries as the head has"
    )
    part: Part = option("both", "of each block: attention, mlp, or both")
    aft_seed: MaskSeed | Literal["run"] = option(
        0, "of the mask, restarted for each tensor; run: the run's seed, one stream for all tensors"
    )


@dataclass(frozen=True)
class Aft:
    """int(ratio * size) entries of each weight and bias are learned, the rest stays.

    A random mask chooses them. As in LIFT's code it has a seed of its own, 0, and starts anew for
    each tensor: tensors with equally many entries share a mask, and so do runs with other seeds.
    With `aft_seed=run` each tensor and each seed has another mask. Not given, the ratio for L
    blocks is K / (L (12 d + 9)), for attention alone K / (L (4 d + 4)), for the MLP alone
    K / (L (8 d + 5)), and at most 1.
    """

    num_classes: int
    seed: int
    config: AftConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Replaces the Linears and returns their learned entries."""
        import torch

        from ltbench_plugins.modules.aft import PartlyLearnedLinear

        blocks = backbone.select(self.config.layers)
        roles, a, b = PARTS[self.config.part]
        rows = len(blocks) * (a * blocks[0].width + b)
        ratio = self.config.ratio or min(1.0, self.num_classes / rows)
        mask_seed = self.config.aft_seed
        generator = torch.Generator().manual_seed(self.seed if mask_seed == "run" else mask_seed)
        restart = None if mask_seed == "run" else generator.get_state()
        learned: list[nn.Parameter] = []
        for block in blocks:
            for role in roles:
                linear = PartlyLearnedLinear(block[role], ratio, generator, restart)
                block.replace(role, linear)
                learned += linear.learned.parameters()
        if not learned:
            raise ConfigError(
                f"method.ratio={ratio:g} is less than one entry of every weight",
                hint="set a larger method.ratio",
            )
        return learned

    def merge(self, backbone: Backbone) -> None:
        """Puts ordinary Linears in place of the partly learned ones."""
        from ltbench_plugins.modules.aft import PartlyLearnedLinear

        for block in backbone.select(self.config.layers):
            for role in PARTS[self.config.part][0]:
                linear = block[role]
                assert isinstance(linear, PartlyLearnedLinear)
                block.replace(role, linear.merged())


def build(config: AftConfig, ctx: BuildContext) -> Aft:
    """Builds the method."""
    return Aft(ctx.num_classes, ctx.seed, config)


AFT = MethodSpec(
    name="aft",
    summary="a random fraction of the blocks' weights and biases is learned",
    config=AftConfig,
    build=build,
    reference="arXiv:2309.10019",
    token_wise=True,
    version=2,
    recipe=recipe(
        imagenet_lt={"method.ratio": 0.005},
        places_lt={"method.ratio": 0.005},
    ),
    examples=({}, {"part": "attention", "aft_seed": "run"}),
)
