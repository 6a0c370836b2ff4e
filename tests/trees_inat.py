"""A miniature of iNaturalist 2018: four species in two kingdoms, laid out like the real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ltbench.data import Preparation

SPECIES = (  # kingdom, phylum, class, order, family, genus, name: by official id
    "Plantae Tracheophyta Magnoliopsida Fagales Betulaceae Betula Betula_lenta",
    "Animalia Chordata Aves Passeriformes Paridae Poecile Poecile_montanus",
    "Animalia Chordata Aves Passeriformes Paridae Parus Parus_major",
    "Animalia Arthropoda Insecta Odonata Aeshnidae Anax Anax_imperator",
)
SUPERCATEGORY = ("Plantae", "Aves", "Aves", "Insecta")
COUNTS = {"train": (9, 5, 3, 2), "test": (3, 3, 3, 3)}
_FIELDS = ("kingdom", "phylum", "class", "order", "family", "genus", "name")


def categories() -> list[dict[str, Any]]:
    """Returns what the real `categories.json` would hold."""
    return [
        {
            **dict(zip(_FIELDS, line.replace("_", " ").split(" ", 6), strict=True)),
            "id": label,
            "supercategory": SUPERCATEGORY[label],
        }
        for label, line in enumerate(SPECIES)
    ]


def rows(split: str) -> list[tuple[str, int]]:
    """Returns path and label of each image of a split, in the order of the list."""
    counts = COUNTS[split]
    listed = [
        (f"train_val2018/{SUPERCATEGORY[label]}/{label}/{split}{number}.jpg", label)
        for number in range(max(counts))
        for label, count in enumerate(counts)
        if number < count
    ]
    return listed


def images(download: Path) -> Path:
    """Writes the images of a download."""
    random = np.random.default_rng(0)
    for split in COUNTS:
        for path, label in rows(split):
            pixels = random.integers(0, 128, (40, 48, 3), dtype=np.uint8)
            pixels[..., label % 3] += 100
            (download / path).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(download / path, quality=90)
    return download


def texts(folder: Path) -> Path:
    """Writes lists and categories."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, file in (("train", "train.txt"), ("test", "val.txt")):
        lines = [f"{path} {label}\n" for path, label in rows(split)]
        (folder / file).write_text("".join(lines))
    (folder / "categories.json").write_text(json.dumps(categories()))
    return folder


def annotations(
    folder: Path, change: Callable[[dict[str, Any]], object] = lambda content: None
) -> Path:
    """Writes the official annotation files: the labels are not in the order of the images."""
    for split, file in (("train", "train2018.json"), ("test", "val2018.json")):
        listed = list(enumerate(rows(split), start=100))
        content = {
            "info": {"year": 2018},
            "images": [{"id": image, "file_name": path} for image, (path, _) in listed],
            "annotations": [
                {"id": image, "image_id": image, "category_id": label}
                for image, (_, label) in reversed(listed)
            ],
            "categories": categories(),
        }
        change(content)
        (folder / file).write_text(json.dumps(content))
    return folder


def obfuscate(content: dict[str, Any]) -> None:
    """Replaces the names by numbers, as the competition did."""
    for category in content["categories"]:
        category.update({field: str(category["id"]) for field in _FIELDS})
        category["name"] = f"{category['id'] + 40}"


def inat2018(root: Path) -> Path:
    """Writes `inat2018` below a data root."""
    return texts(images(root / "inat2018"))


def preparation(
    root: Path,
    source: Path | None = None,
    lists: Path | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Preparation:
    """Returns what `ltbench data prepare inat2018` makes."""
    return Preparation(root / "inat2018", source, None if lists is None else str(lists), note)
