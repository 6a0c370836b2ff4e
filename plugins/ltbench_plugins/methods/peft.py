"""The tuners of Hugging Face's peft, on the Linears of the blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import MinLen

from ltbench import BuildContext, MethodSpec, option
from ltbench.errors import ConfigError, UnknownNameError, suggestion
from ltbench_plugins.methods.options import BlocksConfig, Size
from ltbench_plugins.methods.peft_tuners import REFUSED, TUNERS
from ltbench_plugins.methods.recipes import recipe
from ltbench_plugins.methods.sizes import automatic_size

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class PeftConfig(BlocksConfig):
    """Options of peft's tuners."""

    tuner: str = option("lora", ", ".join(TUNERS))
    rank: Size | None = option(
        None,
        "the tuner's size: r; n_frequency of fourierft and waveft; block_size of c3a and oft; "
        "group_size of road; vector_length of vblora; theta_d_length of unilora; none: "
        "2^floor(log2(K / (4 L))), for L blocks, where it is a rank as LoRA's, else peft's default",
    )
    roles: Annotated[tuple[Literal["qkv", "attn_out", "mlp_in", "mlp_out"], ...], MinLen(1)] = (
        option(("qkv",), "Linears of a block")
    )

    def __post_init__(self) -> None:
        if self.tuner in REFUSED:
            raise ConfigError(
                f"method.tuner: peft's '{self.tuner}' cannot be used here: {REFUSED[self.tuner]}",
                hint="take one of " + ", ".join(TUNERS),
            )
        if self.tuner not in TUNERS:
            raise UnknownNameError(
                f"method.tuner: '{self.tuner}' is no tuner of peft that ltbench knows to work",
                hint=suggestion(self.tuner, TUNERS),
            )
        if self.rank is not None and TUNERS[self.tuner].size is None:
            raise ConfigError(
                f"method.rank={self.rank}: the tuner '{self.tuner}' has no size",
                hint="leave method.rank out",
            )


@dataclass(frozen=True)
class Peft:
    """Linears of each block wrapped by peft, by default the projection to q, k and v.

    That is where peft's own examples put LoRA into vision transformers; more `roles` learn more.
    The learned terms are scaled by 1 (rslora: sqrt(r)). peft's larger scales (2 for gralora, 15 / r
    for delora, 20 for randlora, 25 for waveft) are for Adam; with SGD a step grows with their
    square, and the last three diverge. fourierft and c3a start at zero, unlike in peft.
    All else is as peft has it. The features start as the backbone's own, but for vblora, unilora.
    loha, lokr, vblora, waveft and shira are no single graph for torch.compile: peft's code breaks
    it; dora's breaks it under torch 2.14.
    """

    num_classes: int
    seed: int
    config: PeftConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Wraps the Linears and returns the new parameters."""
        try:
            from ltbench_plugins.modules.peft import inject
        except ImportError as error:
            raise ConfigError(
                f"method 'peft' needs the package peft ({error})",
                hint="pip install 'ltbench[peft]'",
            ) from error
        blocks, roles = backbone.select(self.config.layers), self.config.roles
        chosen = {id(block[role]): role for block in blocks for role in roles}
        found = {name: chosen.get(id(part)) for name, part in backbone.model.named_modules()}
        tuner, hint = TUNERS[self.config.tuner], "take other method.roles"
        settings = {
            "peft_type": tuner.kind,
            "target_modules": [name for name, role in found.items() if role],
            **tuner.settings,
        }
        if tuner.size is not None:
            rule = max(tuner.least, automatic_size(self.num_classes / (4 * len(blocks))))
            size = settings[tuner.size] = self.config.rank or tuner.default or rule
            hint = f"set method.rank, which is peft's {tuner.size} and was {size}, or method.roles"
            if tuner.alpha is not None:
                settings[tuner.alpha] = size
        if tuner.seed is not None:
            settings[tuner.seed] = self.seed
        if tuner.kind == "IA3":
            settings["feedforward_modules"] = [n for n, role in found.items() if role == "mlp_out"]
        return inject(backbone.model, self.config.tuner, hint, settings)

    def merge(self, backbone: Backbone) -> None:
        """Merges the tuners as peft does; some of them cannot be."""
        from ltbench_plugins.modules.peft import merge

        merge(backbone.model)


def build(config: PeftConfig, ctx: BuildContext) -> Peft:
    """Builds the method."""
    return Peft(ctx.num_classes, ctx.seed, config)


PEFT = MethodSpec(
    name="peft",
    summary="a tuner of Hugging Face's peft on Linears of each block: dora, vera, oft, ia3, ...",
    config=PeftConfig,
    build=build,
    libraries=("peft",),
    reference="github.com/huggingface/peft",
    token_wise=True,
    recipe=recipe(),
    version=2,
    identity_at_start=False,
    examples=(
        {"tuner": "rslora", "rank": 2, "roles": ("qkv", "attn_out", "mlp_in", "mlp_out")},
        {"tuner": "vera"},
        {"tuner": "oft", "rank": 8},
    ),
)
