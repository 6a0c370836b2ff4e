"""Entries of a board: the rows of its leaderboard, with their pages, contributors and commands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ltbench.analysis.leaderboard.board import Leaderboard
from ltbench.analysis.leaderboard.ranking import RankedCell, Ranking
from ltbench.analysis.leaderboard.rows import Row, ranking_rows
from ltbench.board.contributors import Contributor
from ltbench.board.verification import VerifiedRun

_MAX_SLUG_CHARACTERS = 60
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class BoardEntry:
    """Measured row of a board: runs that differ in their seed alone.

    Args:
        ranked: Place in the ranking.
        row: Row of the leaderboard.
        page: Name of its page in the folder of the data set, without `.html`.
        runs: Runs in the order of the cell's seeds, with the checks that they passed.
        contributors: Authors of the runs.
    """

    ranked: RankedCell
    row: Row
    page: str
    runs: tuple[VerifiedRun, ...]
    contributors: tuple[Contributor, ...]

    @property
    def measured_by(self) -> str:
        """Names of the authors, in their own words."""
        return ", ".join(each.who for each in self.contributors)

    @property
    def folders(self) -> str:
        """Names of the authors' folders, which are short."""
        return ", ".join(each.name for each in self.contributors)


@dataclass(frozen=True)
class RankedEntries:
    """Entries of a ranking.

    Args:
        ranking: The ranking.
        entries: Measured rows, best first.
        published: Published rows that are shown with the ranking.
    """

    ranking: Ranking
    entries: tuple[BoardEntry, ...]
    published: tuple[Row, ...]


@dataclass(frozen=True)
class BoardDataset:
    """Data set of a board.

    Args:
        label: Label, with its unusual options.
        folder: Name of its folder in the site.
        rankings: Rankings on the data set, each under other conditions.
    """

    label: str
    folder: str
    rankings: tuple[RankedEntries, ...]

    @property
    def entries(self) -> list[BoardEntry]:
        """Entries of all rankings."""
        return [entry for each in self.rankings for entry in each.entries]

    @property
    def published(self) -> list[Row]:
        """Published rows."""
        return [row for each in self.rankings for row in each.published]


def board_datasets(
    board: Leaderboard,
    runs: Mapping[str, VerifiedRun],
    contributors: Mapping[str, Contributor],
) -> list[BoardDataset]:
    """Returns the data sets of a leaderboard, in the order of its rankings.

    Args:
        board: Leaderboard of the verified runs.
        runs: Verified runs by hash.
        contributors: Contributors by the name of their folder.
    """
    by_label: dict[str, list[Ranking]] = {}
    for ranking in board.rankings:
        by_label.setdefault(ranking.conditions.dataset, []).append(ranking)
    return [
        BoardDataset(
            label,
            stable_slug(label),
            tuple(
                RankedEntries(
                    ranking,
                    tuple(_entries(ranking, runs, contributors)),
                    tuple(board.published_beside(ranking)),
                )
                for ranking in rankings
            ),
        )
        for label, rankings in by_label.items()
    ]


def _entries(
    ranking: Ranking, runs: Mapping[str, VerifiedRun], contributors: Mapping[str, Contributor]
) -> Iterator[BoardEntry]:
    for ranked, row in zip(ranking.entries, ranking_rows(ranking), strict=True):
        verified = tuple(runs[run.hash] for run in ranked.cell.runs)
        names = dict.fromkeys(run.contributor for run in verified)
        yield BoardEntry(
            ranked=ranked,
            row=row,
            page=f"{ranked.cell.spec.method.name[:_MAX_SLUG_CHARACTERS]}-"
            f"{_digits(ranked.cell.key + ranking.conditions.shot_rule)}",
            runs=verified,
            contributors=tuple(contributors[name] for name in names),
        )


def stable_slug(label: str) -> str:
    """Returns a file name for a label, which does not depend on the other labels.

    >>> stable_slug("pets_lt"), stable_slug("pets_lt (ratio=10)")
    ('pets_lt', 'pets_lt_ratio_10-06d5a9')

    Args:
        label: Label of a data set.
    """
    if _PLAIN.fullmatch(label):
        return label
    words = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:_MAX_SLUG_CHARACTERS]
    return f"{words or 'data'}-{_digits(label)[:6]}"


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def count(number: int, singular: str, plural: str = "") -> str:
    """Returns a number with its noun.

    >>> count(1, "entry", "entries"), count(1200, "run")
    ('1 entry', '1,200 runs')

    Args:
        number: Number of things.
        singular: Noun for one.
        plural: Noun for others; with an s where it is empty.
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
