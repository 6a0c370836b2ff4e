"""Cases of the comparison: small runs whose parts depend on the whole batch, or on all images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

Settings = Mapping[str, str]

_COMMON = {"limit": "8", "train.epochs": "2", "inference": "center"}

CASES: dict[str, Settings] = {
    "lift_plus, tte": {"inference": "tte"},
    "full, lade, batches of 37 in 3 parts": {
        "method": "full",
        "loss": "lade",
        "train.batch_size": "37",
        "train.accumulate": "3",
        "train.lr": "0.005",
    },
    "full, a last batch of one image": {
        "method": "full",
        "train.batch_size": "78",
        "train.lr": "0.005",
    },
    "lora, class_balanced, mixup": {
        "method": "lora",
        "loss": "class_balanced",
        "augmentation": "mixup",
        "train.batch_size": "37",
    },
    "vpt, ldam, cutmix in 2 parts": {
        "method": "vpt",
        "loss": "ldam",
        "augmentation": "cutmix",
        "train.batch_size": "37",
        "train.accumulate": "2",
    },
    "adaptformer, agcl, randaugment": {
        "method": "adaptformer",
        "loss": "agcl",
        "augmentation": "randaugment",
        "train.batch_size": "25",
    },
    "ssf, cosine": {
        "method": "ssf",
        "schedule": "cosine",
        "train.lr": "0.01",
        "train.batch_size": "50",
    },
    "ssf, adamw": {
        "method": "ssf",
        "optimizer": "adamw",
        "train.lr": "0.001",
        "train.batch_size": "50",
    },
    "classifier_only (cached features), adamw": {
        "method": "classifier_only",
        "optimizer": "adamw",
        "train.lr": "0.001",
    },
    "bitfit, selected on val": {"method": "bitfit", "select": "val", "train.lr": "0.05"},
    "full, a corrupt image skipped": {
        "dataset": "folder",
        "dataset.path": "{images}",
        "limit": "none",
        "method": "full",
        "on_corrupt": "skip",
        "train.batch_size": "5",
        "train.lr": "0.005",
        "precision": "fp32",
    },
    "class-balanced sampling, focal, em_prior": {
        "method": "lift_plus",
        "sampling": "class_balanced",
        "loss": "focal",
        "inference": "em_prior",
    },
    "crt (two trainings)": {"method": "crt", "train.lr": "0.005"},
    "linear_probe (features of the trained encoder)": {
        "method": "lora",
        "refinement": "linear_probe",
        "head": "linear",
    },
    "lpt (values beside the logits)": {"method": "lpt", "train.batch_size": "37"},
    "coop (text tower)": {"method": "coop", "train.lr": "0.001"},
    "tip_adapter_f (cache of features)": {"method": "tip_adapter_f"},
}
"""Settings of each case, by its name."""

AMPLIFYING = ("ssf, adamw", "linear_probe (features of the trained encoder)")
"""Cases whose own arithmetic amplifies rounding: see `docs/ranks.md`."""

_COUNTS = {"train": {"ant": 9, "bee": 6, "fly": 3}, "test": {"ant": 3, "bee": 3, "fly": 3}}
_SIDE = 40


def settings_of(name: str, images: Path) -> dict[str, str]:
    """Returns the settings of a case.

    Args:
        name: Name of the case.
        images: Folder that `write_images` has written.
    """
    own = {key: value.format(images=images) for key, value in CASES[name].items()}
    return {**_COMMON, **own}


def write_images(folder: Path) -> None:
    """Writes a data set of three classes of noise, in which one training image is damaged."""
    random = np.random.default_rng(0)
    for split, classes in _COUNTS.items():
        for number, (name, count) in enumerate(classes.items()):
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                pixels = random.integers(0, 128, (_SIDE, _SIDE, 3), dtype=np.uint8)
                pixels[..., number] += 127
                Image.fromarray(pixels).save(folder / split / name / f"{index}.png")
    (folder / "train" / "ant" / "4.png").write_bytes(b"no image")
