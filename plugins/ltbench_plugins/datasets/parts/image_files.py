"""Names of image files, and the count of files that are left aside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

EXTENSIONS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".webp", ".avif"),
    *(".bmp", ".dib", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".tga", ".pcx", ".qoi", ".sgi", ".ico"),
)
"""Endings of the names of images. All of these files are read, and an error if they cannot be."""

_SHOWN = 5


@dataclass
class Aside:
    """Files of a folder that are no images by their names.

    Attributes:
        counts: Number of files by the ending of their names.
        first: Path of the first file with an ending.
        other_forms: Class folders whose name has another Unicode form than in train.
        loose: Paths of images that lie in a split's folder, in none of a class.
    """

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    other_forms: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)

    def add(self, path: str) -> None:
        """Counts a file."""
        _, dot, end = path.rpartition("/")[2].rpartition(".")
        ending = f".{end.lower()}" if dot else "no ending"
        self.counts[ending] += 1
        self.first[ending] = min(path, self.first.get(ending, path))

    def notes(self) -> tuple[str, ...]:
        """Returns what there is to say about them."""
        notes = []
        if self.counts:
            listed = ", ".join(
                f"{count:,} with {ending} such as {self.first[ending]}"
                for ending, count in self.counts.most_common(_SHOWN)
            )
            more = ", ..." if len(self.counts) > _SHOWN else ""
            notes.append(
                f"files left aside: {self.counts.total():,}, with names that do not end as those "
                f"of images do: {listed}{more}"
            )
        if self.loose:
            notes.append(
                f"images left aside: {len(self.loose):,}, in no class folder: {_listed(self.loose)}"
            )
        if self.other_forms:
            notes.append(
                "class folders are named in another form of Unicode than in train, and compared "
                f"in normal form C: {_listed(self.other_forms)}"
            )
        return tuple(notes)


def _listed(names: list[str]) -> str:
    return ", ".join(sorted(names)[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
