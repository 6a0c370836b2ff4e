"""Printed characters made long-tailed: 69 classes, whose images are part of the package.

The images and their fonts are described in `glyphs_lt.md`, beside this file.
"""

from __future__ import annotations

import hashlib
import io
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, Recipe, option
from ltbench.data import (
    ArrayImages,
    Dataset,
    Split,
    counts_rule,
    exponential_counts,
    select_counts,
)
from ltbench.errors import DataError

SHEET = Path(__file__).with_name("glyphs_lt.png")
SIDE = 32
COLUMNS = 64
_SHA256 = "fb9099ee36f625c30f281e036c75ad9cde2fc4822f0ef9f4c67ba5d7b6ed8ab1"

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_CAPITALS = tuple(f"capital letter {letter}" for letter in string.ascii_uppercase)
# On a line of their own, c, k, o, s, u, v, w, x and z look like their capitals, and l like I.
_SMALL = tuple(f"small letter {letter}" for letter in "abdefghijmnpqrty")
# Symbols that all fonts have, and that no shear turns into another.
_SYMBOLS = (
    "plus sign",
    "equals sign",
    "asterisk",
    "question mark",
    "exclamation mark",
    "ampersand",
    "at sign",
    "percent sign",
    "dollar sign",
    "left parenthesis",
    "right parenthesis",
    "left bracket",
    "right bracket",
    "less-than sign",
    "greater-than sign",
    "colon",
    "semicolon",
)


def _spread(*kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Returns all names, each kind in the order of a hash and spread evenly over the whole."""
    places = []
    for kind in kinds:
        ordered = sorted(kind, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
        places += [((rank + 0.5) / len(kind), name) for rank, name in enumerate(ordered)]
    return tuple(name for _, name in sorted(places))


# In the order of their frequencies, so that all shot groups have the same shares of digits,
# capitals, small letters and symbols.
NAMES = _spread(_DIGITS, _CAPITALS, _SMALL, _SYMBOLS)
LARGEST, LEAST_RATIO = 250, 20
COUNTS = {
    "train": exponential_counts(len(NAMES), LARGEST, LEAST_RATIO),
    "val": [20] * len(NAMES),
    "test": [30] * len(NAMES),
}
"""Number of images of each class on the sheet, sorted by split and class."""


@dataclass(frozen=True)
class GlyphsConfig:
    """Options of glyphs_lt."""

    largest: Annotated[int, Ge(1), Le(LARGEST)] = option(
        200, "number of training images of the first class"
    )
    ratio: Annotated[float, Ge(LEAST_RATIO)] = option(100.0, "largest over smallest class count")


def build(config: GlyphsConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from the sheet of images.

    The training split is a long-tailed subset of its images, n_k falling exponentially with the
    class id. The splits val and test are balanced and the same for all seeds, and each of the
    three splits has its own fonts.

    Raises:
        DataError: The sheet is missing, or is not the one of this version.
    """
    sheet, start, splits = read_sheet(SHEET), 0, {}
    for name, counts in COUNTS.items():
        labels = np.repeat(np.arange(len(NAMES)), counts)
        pixels = sheet[start : start + len(labels)]
        start += len(labels)
        if name == "train":
            wanted = exponential_counts(len(NAMES), config.largest, config.ratio)
            chosen = select_counts(labels, wanted, ctx.data_seed)
            pixels, labels = pixels[chosen], labels[chosen]
        splits[name] = Split(ArrayImages(np.repeat(pixels[..., None], 3, axis=-1)), labels)
    return Dataset(NAMES, splits)


def read_sheet(path: Path) -> NDArray[np.uint8]:
    """Returns the grey images of the sheet, row by row, (N, 32, 32).

    Raises:
        DataError: The sheet is missing, or is not the one of this version.
    """
    from PIL import Image

    hint = "install ltbench again, which contains the file"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"glyphs_lt: {path} cannot be read: {error.strerror}", hint=hint) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != _SHA256:
        raise DataError(
            f"glyphs_lt: {path} is not the sheet of this version (sha256 {digest[:12]})", hint=hint
        )
    with Image.open(io.BytesIO(content)) as image:
        sheet = np.asarray(image)
    squares = sheet.reshape(-1, SIDE, COLUMNS, SIDE).swapaxes(1, 2)
    return squares.reshape(-1, SIDE, SIDE)


def identity(config: GlyphsConfig, ctx: DataContext) -> str:
    """Returns the hash of the images, which `build` checks."""
    return f"sha256:{_SHA256}{counts_rule(len(NAMES), config.largest, config.ratio)}"


GLYPHS_LT = DatasetSpec(
    name="glyphs_lt",
    summary="69 printed characters made long-tailed, in fonts new to clip_tiny; part of ltbench",
    config=GlyphsConfig,
    build=build,
    identity=identity,
    examples=({"largest": 20, "ratio": 20.0},),  # a tenth of the training images
    recipe=Recipe(settings={"train.batch_size": 16}),
)
