"""Sheets of scikit-learn's digits with COCO annotations: `digit_sheets.py FOLDER` writes them.

They replace photographs with many objects: 482 digits to train on, 143 zeros to 7 nines, and 355
to test on, those of ltbench's digits_lt with its default seed, 16 on a sheet, of different sizes
and in slightly overlapping places. The output is always the same, bit for bit.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CELL_PIXELS = 32
CELLS_PER_ROW = 4
SIDE_RANGE = (20, 33)
LARGEST, RATIO, TEST_STEP = 143, 20, 5


def main() -> None:
    """Writes train.json, test.json and their sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    digits = load_digits()
    random = np.random.RandomState(0)
    members: dict[str, list[NDArray[np.int64]]] = {"train": [], "test": []}
    for label in range(len(NAMES)):
        of_class = np.flatnonzero(digits.target == label)
        held = np.arange(len(of_class)) % TEST_STEP == TEST_STEP - 1
        pool = of_class[~held]
        random.shuffle(pool)
        members["test"].append(of_class[held])
        members["train"].append(pool[: int(LARGEST * RATIO ** (-label / (len(NAMES) - 1)))])
    for split, chosen in members.items():
        order = random.permutation(np.concatenate(chosen))
        write_sheets(folder, split, digits.images[order], digits.target[order], random)


def write_sheets(
    folder: Path,
    split: str,
    pictures: NDArray[np.float64],
    labels: NDArray[np.int64],
    random: np.random.RandomState,
) -> None:
    """Writes FOLDER/SPLIT.json, and FOLDER/SPLIT/NUMBER.png.

    Args:
        folder: Folder of the files.
        split: Name of the files.
        pictures: (N, 8, 8) grey values in 0..16.
        labels: (N,) digits.
        random: Says where on its sheet a digit is, and how large.
    """
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    each = CELLS_PER_ROW**2
    (folder / split).mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(labels), each)):
        sheet = np.zeros((CELLS_PER_ROW * CELL_PIXELS, CELLS_PER_ROW * CELL_PIXELS), np.uint8)
        for place, at in enumerate(range(start, min(start + each, len(labels)))):
            side = int(random.randint(*SIDE_RANGE))
            row, column = divmod(place, CELLS_PER_ROW)
            offset = random.randint(0, CELL_PIXELS - side + 1, 2)
            top, left = np.array([row, column]) * CELL_PIXELS + offset
            grey = Image.fromarray(np.round(pictures[at] * (255 / 16)).astype(np.uint8))
            enlarged = np.asarray(grey.resize((side, side), Image.Resampling.BICUBIC))
            sheet[top : top + side, left : left + side] = enlarged
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": int(labels[at]),
                    "bbox": [int(left), int(top), side, side],
                    "area": side**2,
                    "iscrowd": 0,
                }
            )
        name = f"{split}/{number:03}.png"
        Image.fromarray(sheet).save(folder / name)
        height, width = sheet.shape
        images.append({"id": number + 1, "file_name": name, "width": width, "height": height})
    categories = [{"id": label, "name": name} for label, name in enumerate(NAMES)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / f"{split}.json").write_text(json.dumps(document))


if __name__ == "__main__":
    main()
