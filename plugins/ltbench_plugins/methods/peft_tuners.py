"""The tuners of Hugging Face's peft: their settings, and those that are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Tuner:
    """Settings of a tuner of peft.

    Args:
        kind: Type of the tuner in peft.
        size: Option of peft that `rank` sets; None for a tuner without a size.
        default: Size where none is given; None: 2^floor(log2(K / (4 L))), and at least `least`.
        least: Smallest size.
        alpha: Option of peft whose value over the size is the scale: set to the size.
        seed: Option of peft that takes the run's seed, for tuners with frozen random weights.
        settings: Values of other options of peft.
    """

    kind: str
    size: str | None = "r"
    default: int | None = None
    least: int = 1
    alpha: str | None = None
    seed: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


ZERO: Mapping[str, Any] = {"init_weights": True}
"""Starts at zero, so that the features start as the backbone's own; peft's default is random."""

TUNERS: Mapping[str, Tuner] = {
    "lora": Tuner(kind="LORA", alpha="lora_alpha"),
    "rslora": Tuner(kind="LORA", alpha="lora_alpha", settings={"use_rslora": True}),
    "dora": Tuner(kind="LORA", alpha="lora_alpha", settings={"use_dora": True}),
    "gralora": Tuner(kind="GRALORA", alpha="alpha", least=2),
    "glora": Tuner(kind="GLORA"),
    "hira": Tuner(kind="HIRA"),
    "delora": Tuner(kind="DELORA", alpha="delora_lambda"),
    "loha": Tuner(kind="LOHA", alpha="alpha"),
    "lokr": Tuner(kind="LOKR", alpha="alpha"),
    "vera": Tuner(kind="VERA", default=256, seed="projection_prng_key"),
    "pvera": Tuner(kind="PVERA", default=256, seed="projection_prng_key"),
    "randlora": Tuner(
        kind="RANDLORA", default=32, alpha="randlora_alpha", seed="projection_prng_key"
    ),
    "vblora": Tuner(kind="VBLORA", size="vector_length", default=256),
    "unilora": Tuner(kind="UNILORA", size="theta_d_length", default=256, seed="proj_seed"),
    "shira": Tuner(kind="SHIRA", seed="random_seed"),
    "fourierft": Tuner(
        kind="FOURIERFT", size="n_frequency", default=1000, seed="random_loc_seed", settings=ZERO
    ),
    "waveft": Tuner(
        kind="WAVEFT",
        size="n_frequency",
        default=2592,
        seed="random_loc_seed",
        settings={"scaling": 1.0},
    ),
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
    "poly": "it needs the task of every image",
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
"""Other tuners of peft, with the reason for leaving each out."""
