"""Count of the ignored files of a folder of images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_MAX_SHOWN = 5  # extensions or paths in a note


@dataclass
class IgnoredFiles:
    """Ignored files of a folder.

    Attributes:
        counts: Number of files by extension.
        first: Path of the first file with each extension.
        other_forms: Class folders whose name has another Unicode form than in train.
        loose: Paths of images directly in a split's folder, outside of any class.
    """

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    other_forms: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)

    def add(self, path: str) -> None:
        """Counts an ignored file."""
        _, dot, end = path.rpartition("/")[2].rpartition(".")
        ending = f".{end.lower()}" if dot else "no ending"
        self.counts[ending] += 1
        self.first[ending] = min(path, self.first.get(ending, path))

    def notes(self) -> tuple[str, ...]:
        """Returns a sentence for each kind of ignored or renamed files."""
        notes = []
        if self.counts:
            listed = ", ".join(
                f"{count:,} with {ending} such as {self.first[ending]}"
                for ending, count in self.counts.most_common(_MAX_SHOWN)
            )
            more = ", ..." if len(self.counts) > _MAX_SHOWN else ""
            notes.append(
                f"files ignored: {self.counts.total():,}, without the file extension of an image: "
                f"{listed}{more}"
            )
        if self.loose:
            notes.append(
                f"images ignored: {len(self.loose):,}, in no class folder: {_listed(self.loose)}"
            )
        if self.other_forms:
            notes.append(
                "class folders have names in another form of Unicode than in train, compared in "
                f"normal form C: {_listed(self.other_forms)}"
            )
        return tuple(notes)


def _listed(names: list[str]) -> str:
    return ", ".join(sorted(names)[:_MAX_SHOWN]) + (", ..." if len(names) > _MAX_SHOWN else "")
