"""Images of glyphs_lt, drawn with the fonts that were reserved from pretraining.

    python -m benchmarks.glyphs.build

Needs the fonts of ``benchmarks/pretrain/packages.txt``. Two runs write the same bytes: the sheet of
pictures and the licences of the fonts into the package, and ``fonts.csv``, which is in which split.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.pretrain import fonts
from benchmarks.pretrain.concepts import concepts
from benchmarks.pretrain.render import BASELINE, CANVAS, Faces, frame, turn
from ltbench_plugins.datasets.glyphs_lt import COLUMNS, COUNTS, NAMES, SHEET, SIDE

RECORD = Path(__file__).with_name("fonts.csv")
LICENCES = SHEET.with_suffix(".md")
FIELDS = ("package", "family", "file", "licence", "sha256", "design", "split")
SPLITS = {"train": 16, "val": 4, "test": 6}  # number of designs
SEED = 0
# Pretraining drew each character alone and rotated it once. clip_tiny recognises 9 in 10 of such
# images, which would leave little to learn.
NEIGHBOUR = 0.7  # probability, on each side
GAP = 12  # maximum, where an em is 80
TURNS = 3
CONTRAST = (40, 255)
LEVELS = 10  # of coverage: fewer levels compress better
HEADER = """# The fonts of glyphs_lt

`glyphs_lt.png` was drawn with these {files} font files of {families} families, none of which the
pretraining of `clip_tiny` drew. It holds pictures and no font software, and comes under the licence
of ltbench. Licences are those that the fonts' Debian packages name; all of them let pictures that
are made with the fonts be shared.

| licence | files | families |
|---|---|---|
"""

Member = tuple[str, fonts.Font]
"""A font and the design it belongs to."""


def split_fonts() -> dict[str, list[Member]]:
    """Distributes the designs of the reserved fonts to the splits, in the order of a hash."""
    reserved = fonts.load("reserved")
    members = list(zip(fonts.designs(reserved), reserved, strict=True))
    waiting = sorted(
        {design for design, _ in members},
        key=lambda design: hashlib.sha256(f"glyphs_lt {design}".encode()).hexdigest(),
    )
    dealt = {}
    for split, number in SPLITS.items():
        mine, waiting = waiting[:number], waiting[number:]
        dealt[split] = [member for member in members if member[0] in mine]
    if waiting:
        raise ValueError(f"designs without a split: {', '.join(waiting)}")
    return dealt


def draw(character: str, faces: Faces, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Returns a character cropped from a printed line, in two greys."""
    image = Image.new("L", (CANVAS, CANVAS))
    pen, font = ImageDraw.Draw(image), faces.choose(character, rng)
    bolder = int(rng.choice((0, 0, 0, 1, 2, 3)))
    pen.text((CANVAS / 2, BASELINE), character, 255, font, "ms", stroke_width=bolder)
    aside = font.getlength(character) / 2 + bolder
    for side, anchor in ((-1, "rs"), (1, "ls")):
        if rng.random() < NEIGHBOUR:
            place = CANVAS / 2 + side * (aside + rng.uniform(0, GAP))
            neighbour = fonts.LATIN[int(rng.integers(len(fonts.LATIN)))]
            pen.text((place, BASELINE), neighbour, 255, font, anchor, stroke_width=bolder)
    for _ in range(TURNS):
        image = turn(image, rng)
    return paint(frame(image, rng), rng)


def paint(mask: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Returns a mask of few levels, which compresses well, in one grey on another."""
    contrast = rng.uniform(*CONTRAST)
    dark = rng.uniform(0, 255 - contrast)
    ground, ink = rng.permutation((dark, dark + contrast))
    share = np.round(mask * (LEVELS / 255)) / LEVELS
    painted: NDArray[np.uint8] = np.round(ground + share * (ink - ground)).astype(np.uint8)
    return painted


def draw_split(split: str, members: Iterable[Member]) -> NDArray[np.uint8]:
    """Returns the images of a split, class by class, with each design equally often."""
    rng = np.random.default_rng([SEED, list(SPLITS).index(split)])
    faces = Faces(replace(font, family=design) for design, font in members)
    character = {concept.name: concept.text for concept in concepts()}
    return np.stack(
        [
            draw(character[name], faces, rng)
            for name, count in zip(NAMES, COUNTS[split], strict=True)
            for _ in range(count)
        ]
    )


def lay_out(pictures: NDArray[np.uint8]) -> Image.Image:
    """Returns a sheet of images (N, side, side), row by row; the rest of the last row is black."""
    rows = -(-len(pictures) // COLUMNS)
    squares = np.zeros((rows * COLUMNS, SIDE, SIDE), np.uint8)
    squares[: len(pictures)] = pictures
    grid = squares.reshape(rows, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
    return Image.fromarray(grid.reshape(rows * SIDE, COLUMNS * SIDE))


def write_record(dealt: dict[str, list[Member]]) -> None:
    """Writes the list of fonts by split, and the licences for the package."""
    with RECORD.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(FIELDS)
        for split, members in dealt.items():
            for design, font in members:
                row = (font.package, font.family, font.file, font.licence, font.sha256)
                writer.writerow((*row, design, split))
    drawn = [font for members in dealt.values() for _, font in members]
    families = {font.family for font in drawn}
    text = HEADER.format(files=len(drawn), families=len(families))
    for licence in sorted({font.licence for font in drawn}):
        mine = [font.family for font in drawn if font.licence == licence]
        text += f"| {licence} | {len(mine)} | {', '.join(sorted(set(mine)))} |\n"
    LICENCES.write_text(text)


def main() -> None:
    """Writes the sheet of images and the records of the fonts."""
    dealt = split_fonts()
    drawn = [draw_split(split, members) for split, members in dealt.items()]
    lay_out(np.concatenate(drawn)).save(SHEET, optimize=True)
    write_record(dealt)
    content = SHEET.read_bytes()
    print(f"{SHEET.name}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
