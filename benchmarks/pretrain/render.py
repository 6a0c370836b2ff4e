"""Pool of 32-pixel masks (white on black), the raw material of all training images."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from benchmarks.pretrain import fonts
from benchmarks.pretrain.concepts import Concept, concepts
from benchmarks.pretrain.strokes import write_digit

SIDE = 32
CANVAS = 128
EM = 80
BASELINE = 90
PER_CONCEPT = {"digit": 24000, "letter": 2800, "symbol": 1400, "shape": 1000, "texture": 600}
STROKES = 0.55

Mask = NDArray[np.uint8]
Face = tuple[ImageFont.FreeTypeFont, frozenset[int]]


class Faces:
    """Fonts to draw with; families are drawn equally often, whatever their number of files."""

    def __init__(self, chosen: Iterable[fonts.Font]) -> None:
        families: dict[str, list[Face]] = {}
        for font in chosen:
            with TTFont(font.path, lazy=True) as table:
                known = frozenset(table.getBestCmap())
            face = ImageFont.truetype(str(font.path), EM)
            families.setdefault(font.family, []).append((face, known))
        self.families = list(families.values())

    def choose(self, character: str, rng: np.random.Generator) -> ImageFont.FreeTypeFont:
        """Returns a font that has the character."""
        while True:
            family = self.families[int(rng.integers(len(self.families)))]
            face, known = family[int(rng.integers(len(family)))]
            if ord(character) in known:
                return face


def draw(
    concept: Concept, faces: Faces, rng: np.random.Generator, strokes: float = STROKES
) -> Mask:
    """Draws one mask of a concept; ``strokes`` is the share of digits written with a pen."""
    if concept.kind == "digit" and rng.random() < strokes:
        return fill(write_digit(int(concept.text), rng), rng)
    if concept.text:
        image = turn(_character(concept.text, faces, rng), rng)
        # Digits fill the frame as scanned ones do. Other characters keep their size and place, the
        # only difference between a capital letter O and a small one.
        fills = rng.random() < {"digit": 0.85, "letter": 0.25}.get(concept.kind, 0.0)
        return fill(image, rng) if fills else frame(image, rng)
    if concept.kind == "shape":
        return frame(turn(_shape(concept.name, rng), rng), rng)
    return _texture(concept.name, rng)


def fill(image: Image.Image, rng: np.random.Generator) -> Mask:
    """Scales the inked box to the frame's height, with a loose aspect."""
    box = image.getbbox()
    if box is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    height = int(rng.integers(27, SIDE + 1))
    aspect = (box[2] - box[0]) / (box[3] - box[1]) * rng.uniform(0.8, 1.3)
    width = min(max(round(height * aspect), 3), SIDE)
    small = image.resize((width, height), Image.Resampling.BILINEAR, box=box)
    out = Image.new("L", (SIDE, SIDE))
    slack_x, slack_y = SIDE - width, SIDE - height
    left = int(np.clip(round(slack_x / 2 + rng.normal(0, 1.5)), 0, slack_x))
    out.paste(small, (left, int(rng.integers(slack_y + 1))))
    return np.asarray(out)


def frame(image: Image.Image, rng: np.random.Generator) -> Mask:
    """Returns a view of the canvas through a window of varying size and place."""
    side = rng.uniform(72, 116)
    x, y = (CANVAS - side) / 2 + rng.normal(0, 3.0, 2)
    x, y = np.clip((x, y), 0.0, CANVAS - side)
    box = (float(x), float(y), float(x + side), float(y + side))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box))


def _character(text: str, faces: Faces, rng: np.random.Generator) -> Image.Image:
    image = Image.new("L", (CANVAS, CANVAS))
    bolder = int(rng.choice((0, 0, 0, 1, 2, 3)))
    ImageDraw.Draw(image).text(
        (CANVAS / 2, BASELINE), text, 255, faces.choose(text, rng), "ms", stroke_width=bolder
    )
    return image


def turn(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Rotates and shears a little about the middle."""
    angle, shear = rng.normal(0.0, 0.07), rng.normal(0.0, 0.1)
    a, b = math.cos(angle), math.sin(angle) + shear
    c, d = -math.sin(angle), math.cos(angle)
    middle = CANVAS / 2
    shift_x, shift_y = middle * (1 - a - b), middle * (1 - c - d)
    matrix = (a, b, shift_x, c, d, shift_y)
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _polygon(corners: int, radius: Callable[[int], float]) -> list[tuple[float, float]]:
    angles = [2 * math.pi * corner / corners for corner in range(corners)]
    return [
        (64 + radius(i) * math.sin(angle), 64 - radius(i) * math.cos(angle))
        for i, angle in enumerate(angles)
    ]


def _shape(name: str, rng: np.random.Generator) -> Image.Image:
    image = Image.new("L", (CANVAS, CANVAS))
    pen = ImageDraw.Draw(image)
    size = float(rng.uniform(22, 40))
    regular = {"triangle": 3, "diamond": 4, "pentagon": 5, "hexagon": 6}
    if name in regular:
        pen.polygon(_polygon(regular[name], lambda _: size), fill=255)
    elif name == "square":
        pen.rectangle((64 - size, 64 - size, 64 + size, 64 + size), fill=255)
    elif name == "star":
        pen.polygon(_polygon(10, lambda i: size if i % 2 == 0 else 0.42 * size), fill=255)
    elif name == "disc":
        pen.circle((64, 64), size, fill=255)
    elif name == "ring":
        pen.circle((64, 64), size, outline=255, width=int(size * rng.uniform(0.15, 0.4)))
    elif name == "crescent":
        pen.circle((64, 64), size, fill=255)
        pen.circle((64 + 0.45 * size, 64), 0.85 * size, fill=0)
    elif name == "cross":
        arm = size * rng.uniform(0.2, 0.35)
        pen.rectangle((64 - arm, 64 - size, 64 + arm, 64 + size), fill=255)
        pen.rectangle((64 - size, 64 - arm, 64 + size, 64 + arm), fill=255)
    elif name == "heart":
        half = size / 2
        pen.circle((64 - half, 64 - half / 2), half * 1.1, fill=255)
        pen.circle((64 + half, 64 - half / 2), half * 1.1, fill=255)
        pen.polygon([(64 - size, 64), (64 + size, 64), (64, 64 + size)], fill=255)
    else:
        arm = size * 0.25
        pen.rectangle((64 - size, 64 - arm, 64, 64 + arm), fill=255)
        pen.polygon([(64, 64 - size * 0.7), (64, 64 + size * 0.7), (64 + size, 64)], fill=255)
        image = image.rotate(90 * int(rng.integers(4)))
    # The outline of a disc would be a ring.
    if name != "disc" and rng.random() < 0.2:
        image = ImageChops.subtract(image, image.filter(ImageFilter.MinFilter(9)))
    return image


def _texture(name: str, rng: np.random.Generator) -> Mask:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    period = rng.uniform(5, 14)
    phase_x, phase_y = rng.uniform(0, period, 2)
    wave_x = np.sin(2 * np.pi * (x + phase_x) / period)
    wave_y = np.sin(2 * np.pi * (y + phase_y) / period)
    sign = rng.choice((-1, 1))
    wave = {
        "horizontal stripes": wave_y,
        "vertical stripes": wave_x,
        "diagonal stripes": np.sin(2 * np.pi * (x + sign * y + phase_x) / (1.4 * period)),
        "checkerboard": wave_x * wave_y,
        "dots": wave_x + wave_y - rng.uniform(0.6, 1.2),
    }[name]
    sharp = rng.uniform(2, 12)
    return np.asarray(255 / (1 + np.exp(-sharp * wave)), np.uint8)


def render_pool(out: Path, seed: int, scale: float) -> None:
    """Renders the training pool: an array of masks and an array of concept numbers."""
    faces, known = Faces(fonts.load("pretrain")), concepts()
    rng = np.random.default_rng(seed)
    counts = [max(int(scale * PER_CONCEPT.get(concept.kind, 1)), 1) for concept in known]
    masks = np.empty((sum(counts), SIDE, SIDE), np.uint8)
    at = 0
    for concept, count in zip(known, counts, strict=True):
        for _ in range(count):
            # A colour is a plain image, which training paints.
            masks[at] = 255 if concept.kind == "colour" else draw(concept, faces, rng)
            at += 1
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "masks.npy", masks)
    np.save(out / "labels.npy", np.repeat(np.arange(len(known), dtype=np.int64), counts))


def main() -> None:
    """Renders the pool for the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pool")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full pool")
    options = parser.parse_args()
    render_pool(options.out, options.seed, options.scale)


if __name__ == "__main__":
    main()
