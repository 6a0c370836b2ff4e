"""Installed fonts that may be used; a quarter of their families is reserved.

A font qualifies when its package's copyright file grants derived works, it maps every digit and
letter, and its small letters differ from its capitals. The record is ``fonts.csv``.
"""

from __future__ import annotations

import csv
import hashlib
import re
import string
import subprocess
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent
PACKAGES = HERE / "packages.txt"
RECORD = HERE / "fonts.csv"

# Licences that allow derived works to be shipped. GPL counts only with a font exception.
ACCEPTED = {
    r"OFL|SIL|Open Font License": "OFL",
    r"Apache-2": "Apache-2.0",
    r"MIT|Expat": "MIT",
    r"BSD": "BSD-3-Clause",
    r"public-domain": "public domain",
    r"CC0": "CC0-1.0",
    r"Unlicense": "Unlicense",
    r"bitstream": "Bitstream-Vera",
    r"(?<!A)GPL.*(\+ ?FE|exception)": "GPL with font exception",
}
# Segment displays, key caps and small capitals are not pictures of the letters they stand for.
NOT_LETTERS = {"DSEG", "Triod", "Keyboard", "Smallcaps"}
# A maker's prefix is not a family: the word after it distinguishes the designs.
PREFIXES = {"gfs", "league", "old", "open"}
# Redrawings of another family under a new name, too far apart for the look test.
DERIVED = {"carlito": "lato", "hack": "dejavu"}
LATIN = string.digits + string.ascii_letters
FILES_PER_FAMILY = 8
RESERVED_IN = 4
SAME_LOOK = 0.985


@dataclass(frozen=True)
class Font:
    """One font file and whether pretraining may draw it."""

    package: str
    family: str
    file: str
    licence: str
    sha256: str
    role: str
    path: Path


def read_licence(package: str) -> str | None:
    """Returns the licence of a package's fonts, or None if it is not clearly acceptable."""
    text = Path("/usr/share/doc", package, "copyright").read_text(errors="replace")
    for files in (r".*\.(?:ttf|otf).*", r"\*"):
        stanza = re.search(rf"^Files:\s*{files}$.*?^License:[ \t]*(\S.*?)$", text, re.M | re.S)
        if stanza:
            return _accept(stanza.group(1))
    if re.search(r"SIL Open Font License,\s+Version 1\.[01]", text):
        return "OFL"
    return "public domain" if re.search(r"License:\s+Public Domain", text) else None


def _accept(declared: str) -> str | None:
    for choice in re.split(r" or |\|", declared):
        names = [
            next((name for pattern, name in ACCEPTED.items() if re.search(pattern, part, re.I)), "")
            for part in choice.split(" and ")
        ]
        if all(names):
            return " and ".join(dict.fromkeys(names))
    return None


def find(packages: list[str]) -> list[Font]:
    """Returns the qualifying fonts of installed packages with their roles."""
    found = []
    for package in sorted(packages):
        licence = read_licence(package)
        if licence is None:
            continue
        listing = subprocess.run(
            ["dpkg-query", "-L", package], check=True, capture_output=True, text=True
        ).stdout
        paths = [Path(line) for line in listing.split("\n") if line.endswith((".ttf", ".otf"))]
        for path in sorted(p for p in paths if p.is_file() and not p.is_symlink()):
            family = _family(path)
            if family and _tells_case(path):
                found.append(Font(package, family, path.name, licence, _digest(path), "", path))
    return _assign(_thin(found))


def _family(path: Path) -> str | None:
    """Returns the typographic family, or None for a font without Latin letters."""
    try:
        with TTFont(path, lazy=True) as font:
            cmap = font.getBestCmap() or {}
            names = font["name"]
            family = str(names.getDebugName(16) or names.getDebugName(1) or path.stem)
    except (TTLibError, OSError):
        return None
    usable = all(ord(letter) in cmap for letter in LATIN)
    return family if usable and not any(word in family for word in NOT_LETTERS) else None


def _specimen(path: Path, text: str) -> NDArray[np.float32]:
    """Draws a text, a slot for each letter; of length 1 unless it is blank."""
    font = ImageFont.truetype(str(path), 24)
    image = Image.new("L", (48 * len(text), 48))
    for slot, letter in enumerate(text):
        ImageDraw.Draw(image).text((48 * slot + 8, 36), letter, 255, font, anchor="ls")
    values = np.asarray(image.resize((24 * len(text), 24)), np.float32).ravel()
    return values / max(float(np.linalg.norm(values)), 1e-6)


def _tells_case(path: Path) -> bool:
    """Returns whether the letters are not blank, and the small ones differ from the capitals."""
    small, capital = _specimen(path, "abegnr"), _specimen(path, "ABEGNR")
    return bool(small.any()) and float(small @ capital) <= 0.9


def _stem(family: str) -> str:
    """Returns the design that a family's name belongs to: 'Averia Sans' and 'Averia' are one."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", family.split("ADF")[0]).lower()
    parts = re.findall(r"[a-z0-9]+", words) or [family]
    stem: str = next((part for part in parts if part not in PREFIXES), parts[0])
    return DERIVED.get(stem, stem)


def designs(found: list[Font]) -> list[str]:
    """Returns the design of each font: families of one name, package or look are one design."""
    stems = [_stem(font.family) for font in found]
    group = {stem: stem for stem in stems}

    def root(stem: str) -> str:
        while group[stem] != stem:
            stem = group[stem]
        return stem

    # Siblings and clones under another name would bring a reserved design into pretraining.
    packages = np.array([font.package for font in found])
    specimens = np.stack([_specimen(font.path, "Raegt2479S") for font in found])
    alike = (specimens @ specimens.T > SAME_LOOK) | (packages[:, None] == packages[None])
    for left, right in np.argwhere(np.triu(alike, 1)):
        first, second = sorted((root(stems[left]), root(stems[right])))
        group[second] = first
    return [root(stem) for stem in stems]


def _thin(found: list[Font]) -> list[tuple[str, Font]]:
    """Returns each font with its design, with a maximum number of files per family."""
    kept: list[tuple[str, Font]] = []
    counts: dict[str, int] = {}
    paired = zip(designs(found), found, strict=True)
    for design, font in sorted(paired, key=lambda pair: pair[1].sha256):
        if counts.get(font.family, 0) < FILES_PER_FAMILY:
            counts[font.family] = counts.get(font.family, 0) + 1
            kept.append((design, font))
    return kept


def _assign(grouped: list[tuple[str, Font]]) -> list[Font]:
    fonts = []
    for design, font in grouped:
        reserved = int(hashlib.sha256(design.encode()).hexdigest(), 16) % RESERVED_IN == 0
        fonts.append(replace(font, role="reserved" if reserved else "pretrain"))
    return sorted(fonts, key=lambda font: (font.package, font.file))


def load(role: str) -> list[Font]:
    """Returns the recorded fonts of one role, found among the installed ones."""
    with RECORD.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["role"] == role]
    # By content: packages install different fonts under the same file name.
    installed = {_digest(path): path for path in Path("/usr/share/fonts").rglob("*.[ot]tf")}
    missing = [row["file"] for row in rows if row["sha256"] not in installed]
    if missing:
        raise FileNotFoundError(f"absent or another version: {', '.join(missing)}")
    return [Font(**row, path=installed[row["sha256"]]) for row in rows]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Writes ``fonts.csv`` from the installed packages of ``packages.txt``."""
    fonts = find(PACKAGES.read_text().split())
    columns = [field.name for field in fields(Font) if field.name != "path"]
    with RECORD.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(font) for font in fonts)
    for role in ("pretrain", "reserved"):
        chosen = [font for font in fonts if font.role == role]
        print(f"{role}: {len(chosen)} files, {len({f.family for f in chosen})} families")


if __name__ == "__main__":
    main()
