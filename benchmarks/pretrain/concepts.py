"""Concepts of the embedded model's pretraining: names, drawings and captions."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Literal

Kind = Literal["digit", "letter", "symbol", "shape", "texture", "colour"]

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SYMBOLS = {
    "plus sign": "+",
    "minus sign": "-",
    "equals sign": "=",
    "asterisk": "*",
    "slash": "/",
    "backslash": "\\",
    "vertical bar": "|",
    "question mark": "?",
    "exclamation mark": "!",
    "ampersand": "&",
    "at sign": "@",
    "hash sign": "#",
    "percent sign": "%",
    "dollar sign": "$",
    "euro sign": "€",
    "pound sign": "£",
    "section sign": "§",
    "copyright sign": "©",
    "left parenthesis": "(",
    "right parenthesis": ")",
    "left bracket": "[",
    "right bracket": "]",
    "left brace": "{",
    "right brace": "}",
    "less-than sign": "<",
    "greater-than sign": ">",
    "colon": ":",
    "semicolon": ";",
    "comma": ",",
    "period": ".",
    "tilde": "~",
    "caret": "^",
    "multiplication sign": "\N{MULTIPLICATION SIGN}",
    "division sign": "÷",
}
SHAPES = (
    "disc",
    "ring",
    "square",
    "triangle",
    "diamond",
    "pentagon",
    "hexagon",
    "star",
    "heart",
    "crescent",
    "cross",
    "arrow",
)
TEXTURES = ("horizontal stripes", "vertical stripes", "diagonal stripes", "checkerboard", "dots")
COLOURS = {
    "red": (0.85, 0.1, 0.1),
    "green": (0.1, 0.65, 0.15),
    "blue": (0.1, 0.2, 0.85),
    "yellow": (0.95, 0.9, 0.15),
    "orange": (0.95, 0.55, 0.1),
    "purple": (0.5, 0.1, 0.6),
    "white": (0.97, 0.97, 0.97),
    "grey": (0.5, 0.5, 0.5),
    "black": (0.03, 0.03, 0.03),
}

# The first template is the one of zero-shot use, so it is also drawn most often.
PHOTO = "a photo of a {}."
TEMPLATES: dict[Kind, tuple[str, ...]] = {
    "digit": (
        PHOTO,
        "{}",
        "the digit {}",
        "a photo of the digit {}.",
        "the number {}",
        "a handwritten {}",
        "a picture of a {}",
        "a small photo of a {}.",
    ),
    "letter": (PHOTO, "{}", "the {}", "a picture of a {}", "a printed {}"),
    "symbol": (PHOTO, "{}", "the {}", "a picture of a {}", "a printed {}"),
    "shape": (PHOTO, "{}", "the shape {}", "a picture of a {}", "a drawn {}"),
    "texture": (PHOTO, "{}", "a pattern of {}", "the texture {}"),
    "colour": (PHOTO, "{}", "the colour {}", "a plain {} picture"),
}


@dataclass(frozen=True)
class Concept:
    """One thing with a name; ``text`` is the character a font draws it with, if any."""

    name: str
    kind: Kind
    text: str = ""

    def captions(self) -> list[str]:
        """Returns all captions of this concept, that of zero-shot use first."""
        return [template.format(self.name) for template in TEMPLATES[self.kind]]


def concepts() -> list[Concept]:
    """Returns all concepts, digits first and in order."""
    listed = [Concept(name, "digit", str(value)) for value, name in enumerate(DIGITS)]
    listed += [Concept(f"capital letter {c}", "letter", c) for c in string.ascii_uppercase]
    listed += [Concept(f"small letter {c}", "letter", c) for c in string.ascii_lowercase]
    listed += [Concept(name, "symbol", character) for name, character in SYMBOLS.items()]
    listed += [Concept(name, "shape") for name in SHAPES]
    listed += [Concept(name, "texture") for name in TEXTURES]
    return listed + [Concept(name, "colour") for name in COLOURS]
