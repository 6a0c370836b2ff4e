"""Printed characters made long-tailed: 69 classes whose pictures come with the package.

The pictures and the fonts behind them are described in `glyphs_lt.md`, beside this file.
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
# Alone on a line, c, k, o, s, u, v, w, x and z are their capitals, and l is I.
_SMALL = tuple(f"small letter {letter}" for letter in "abdefghijmnpqrty")
# Those that every one of the fonts has, and that no shear turns into another.
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


def _ordered(*kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Returns all names, each kind shuffled by a hash and spread evenly over the whole."""
    places = []
    for kind in kinds:
        shuffled = sorted(kind, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
        places += [((rank + 0.5) / len(kind), name) for rank, name in enumerate(shuffled)]
    return tuple(name for _, name in sorted(places))


# In the order of their frequencies; so all shot groups have the same share of digits, of capitals,
# of small letters and of symbols.
NAMES = _ordered(_DIGITS, _CAPITALS, _SMALL, _SYMBOLS)
LARGEST, LEAST_RATIO = 250, 20
COUNTS = {
    "train": exponential_counts(len(NAMES), LARGEST, LEAST_RATIO),
    "val": [20] * len(NAMES),
    "test": [30] * len(NAMES),
}
"""Pictures of each class on the sheet, where the splits and their classes follow one another."""


@dataclass(frozen=True)
class GlyphsConfig:
    """Options of glyphs_lt."""

    largest: Annotated[int, Ge(1), Le(LARGEST)] = option(200, "training images of the first class")
    ratio: Annotated[float, Ge(LEAST_RATIO)] = option(100.0, "largest over smallest class count")


def build(config: GlyphsConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from the sheet of pictures.

    The training split is a long-tailed subset of its pictures, n_k falling exponentially with the
    class id. The splits val and test are balanced, the same whatever the seeds, and each of the
    three is drawn with fonts of its own.

    Raises:
        DataError: The sheet is missing, or it is not the one that the package came with.
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
    """Returns the (N, 32, 32) grey pictures of the sheet, row by row.

    Raises:
        DataError: The sheet is missing, or it is not the one that the package came with.
    """
    from PIL import Image

    how = "install ltbench again: the file is part of it"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"glyphs_lt: {path} cannot be read: {error.strerror}", hint=how) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != _SHA256:
        raise DataError(
            f"glyphs_lt: {path} is not the sheet of this version (sha256 {digest[:12]})", hint=how
        )
    with Image.open(io.BytesIO(content)) as image:
        sheet = np.asarray(image)
    squares = sheet.reshape(-1, SIDE, COLUMNS, SIDE).swapaxes(1, 2)
    return squares.reshape(-1, SIDE, SIDE)


def identity(config: GlyphsConfig, ctx: DataContext) -> str:
    """Returns which pictures they are; `build` checks that they are."""
    return f"sha256:{_SHA256}{counts_rule(len(NAMES), config.largest, config.ratio)}"


GLYPHS_LT = DatasetSpec(
    name="glyphs_lt",
    summary="69 printed characters made long-tailed, in fonts clip_tiny never saw; in the package",
    config=GlyphsConfig,
    build=build,
    identity=identity,
    examples=({"largest": 20, "ratio": 20.0},),  # a tenth of the training images
    recipe=Recipe(settings={"train.batch_size": 16}),
)
