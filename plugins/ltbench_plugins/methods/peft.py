"""The tuners of Hugging Face's peft, on the Linears of the blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import MinLen

from ltbench import BuildContext, MethodSpec, option
from ltbench.errors import ConfigError, UnknownNameError, suggestion
from ltbench_plugins.methods.options import BlocksConfig, Size
from ltbench_plugins.methods.recipes import recipe
from ltbench_plugins.methods.sizes import automatic_size

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True, kw_only=True)
class Tuner:
    """How peft is asked for a tuner.

    Args:
        kind: Its type in peft.
        size: peft's option that `rank` sets; none where there is nothing to size.
        default: The size that nobody gives; none: 2^floor(log2(K / (4 L))), and at least `least`.
        least: The smallest size.
        alpha: peft's option for the scale, and how many times the size it is, as peft has it.
        seed: peft's option that takes the run's seed, where something random is frozen.
        settings: Other options of peft.
    """

    kind: str
    size: str | None = "r"
    default: int | None = None
    least: int = 1
    alpha: tuple[str, int] | None = None
    seed: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


ZERO: Mapping[str, Any] = {"init_weights": True}
"""Starts at zero, so that the features start as the backbone's own; peft's default is random."""

TUNERS: Mapping[str, Tuner] = {
    "lora": Tuner(kind="LORA", alpha=("lora_alpha", 1)),
    "rslora": Tuner(kind="LORA", alpha=("lora_alpha", 1), settings={"use_rslora": True}),
    "dora": Tuner(kind="LORA", alpha=("lora_alpha", 1), settings={"use_dora": True}),
    "gralora": Tuner(kind="GRALORA", alpha=("alpha", 2), least=2),
    "glora": Tuner(kind="GLORA"),
    "hira": Tuner(kind="HIRA"),
    "delora": Tuner(kind="DELORA"),
    "loha": Tuner(kind="LOHA", alpha=("alpha", 1)),
    "lokr": Tuner(kind="LOKR", alpha=("alpha", 1)),
    "vera": Tuner(kind="VERA", default=256, seed="projection_prng_key"),
    "pvera": Tuner(kind="PVERA", default=256, seed="projection_prng_key"),
    "randlora": Tuner(
        kind="RANDLORA", default=32, alpha=("randlora_alpha", 20), seed="projection_prng_key"
    ),
    "vblora": Tuner(kind="VBLORA", size="vector_length", default=256),
    "unilora": Tuner(kind="UNILORA", size="theta_d_length", default=256, seed="proj_seed"),
    "shira": Tuner(kind="SHIRA", seed="random_seed"),
    "fourierft": Tuner(
        kind="FOURIERFT", size="n_frequency", default=1000, seed="random_loc_seed", settings=ZERO
    ),
    "waveft": Tuner(kind="WAVEFT", size="n_frequency", default=2592, seed="random_loc_seed"),
    "c3a": Tuner(kind="C3A", size="block_size", default=256, settings=ZERO),
    "oft": Tuner(kind="OFT", size="oft_block_size", default=32),
    "hra": Tuner(kind="HRA", least=2),
    "road": Tuner(kind="ROAD", size="group_size", default=64),
    "miss": Tuner(kind="MISS"),
    "deft": Tuner(kind="DEFT"),
    "peanut": Tuner(kind="PEANUT"),
    "ia3": Tuner(kind="IA3", size=None),
    "beft": Tuner(kind="BEFT", size=None),
}

_PROMPTS = "its prompts are for language models; the method vpt learns prompts of images"
_LANGUAGE = "it changes models of the transformers library only"
_SVD = (
    "what it freezes is a decomposition of the weights, which differs between devices: the learned "
    "weights alone would not bring a run back"
)
REFUSED: Mapping[str, str] = {
    "prompt_tuning": _PROMPTS,
    "multitask_prompt_tuning": _PROMPTS,
    "p_tuning": _PROMPTS,
    "prefix_tuning": _PROMPTS,
    "cpt": _PROMPTS,
    "cartridge": _PROMPTS,
    "adaption_prompt": _LANGUAGE,
    "shadow": _LANGUAGE,
    "trainable_tokens": "it learns embeddings of words",
    "ln_tuning": "it learns norms, not Linears; take the method ln_tuning",
    "adalora": "it must be called after every step of the training",
    "poly": "it must be told the task of every image",
    "xlora": "it mixes LoRAs that have been trained before",
    "lily": "it averages over a batch, so that an image's features depend on the other images",
    "boft": "it compiles a CUDA extension when it is built, and without that it is oft",
    "supertuning": "which of equally large weights it learns differs between devices",
    "adamss": _SVD,
    "frod": _SVD,
    "osf": _SVD,
    "psoft": _SVD,
    "tinylora": _SVD,
}
"""What else peft has, and why it is of no use here."""


@dataclass(frozen=True)
class PeftConfig(BlocksConfig):
    """Options of peft's tuners."""

    tuner: str = option("lora", ", ".join(TUNERS))
    rank: Size | None = option(
        None,
        "the tuner's size: r; n_frequency of fourierft and waveft; block_size of c3a and oft; "
        "group_size of road; vector_length of vblora; theta_d_length of unilora; none: "
        "2^floor(log2(K / (4 L))) where it is a rank as LoRA's, else peft's default",
    )
    roles: Annotated[tuple[Literal["qkv", "attn_out", "mlp_in", "mlp_out"], ...], MinLen(1)] = (
        option(("qkv",), "which Linears of a block")
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
    """Linears of each block, wrapped as peft does it, by default the projection to q, k and v.

    That is where peft's own examples put LoRA into vision transformers; more `roles` learn more.
    Options of peft that nothing here sets have peft's defaults; those are made for Adam, so that
    some tuners want another learning rate with SGD. The scale alpha / r is 1, sqrt(r) for rslora, 2
    for gralora and 20 for randlora, as peft has it. fourierft and c3a start at zero, which they do
    not by default. The features start as the backbone's own, but with vblora and unilora.
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
            rule = max(tuner.least, automatic_size(self.num_classes / (4 * len(backbone.blocks))))
            size = settings[tuner.size] = self.config.rank or tuner.default or rule
            hint = f"set method.rank, which is peft's {tuner.size} and was {size}, or method.roles"
            if tuner.alpha is not None:
                settings[tuner.alpha[0]] = tuner.alpha[1] * size
        if tuner.seed is not None:
            settings[tuner.seed] = self.seed
        if tuner.kind == "IA3":
            settings["feedforward_modules"] = [n for n, role in found.items() if role == "mlp_out"]
        return inject(backbone.model, self.config.tuner, hint, settings)


def build(config: PeftConfig, ctx: BuildContext) -> Peft:
    """Builds the method."""
    return Peft(ctx.num_classes, ctx.seed, config)


PEFT = MethodSpec(
    name="peft",
    summary="a tuner of Hugging Face's peft on Linears of each block: dora, vera, oft, ia3, ...",
    config=PeftConfig,
    build=build,
    reference="Mangrulkar et al., PEFT, https://github.com/huggingface/peft, 2022",
    recipe=recipe(),
    identity_at_start=False,
    examples=(
        {"tuner": "lora"},
        {"tuner": "dora", "rank": 2, "roles": ("qkv", "attn_out", "mlp_in", "mlp_out")},
        {"tuner": "vera"},
        {"tuner": "oft", "rank": 8},
        {"tuner": "ia3", "roles": ("qkv", "mlp_out")},
        {"tuner": "fourierft", "rank": 50},
    ),
)
