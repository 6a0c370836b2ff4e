"""Accuracy by the learned share of the encoder: the cells of a ranking as curves.

A curve is a method with one option that changes its learned share, such as a fraction of all
weights or a number of blocks. Where a share has several learning rates, one of them is chosen, as
for Figure 4 of LIFT (arXiv:2309.10019): on the val split where all runs recorded its scores.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ltbench.analysis.leaderboard.ranking import RankedCell, Ranking, name_settings
from ltbench.specs import Settings

MIN_SHARES = 3
"""Number of different shares of a curve."""
_RATE = "train.lr"


@dataclass(frozen=True)
class CurvePoint:
    """A learned share of the encoder, with its best learning rate.

    Args:
        entry: Cell with this rate.
        others: Cells with the other rates, in ascending order of the rate.
        score: Score that the rates were compared by, in percent, mean over seeds.
    """

    entry: RankedCell
    others: tuple[RankedCell, ...]
    score: float

    @property
    def share(self) -> float:
        """Learned parameters of the encoder, in percent of those before the method."""
        learned = self.entry.cell.runs[0].learned
        return 100 * learned.encoder / learned.backbone

    @property
    def rate(self) -> float:
        """Learning rate."""
        return self.entry.cell.spec.train.lr

    @property
    def rates(self) -> list[float]:
        """All rates of the share, ascending."""
        cells = [self.entry, *self.others]
        return sorted({entry.cell.spec.train.lr for entry in cells})


@dataclass(frozen=True)
class ShareCurve:
    """Points of a method, in ascending order of their shares.

    Args:
        name: Method, with the settings in which it differs from the other curves.
        option: Setting that changes the share; empty for a method that learns the head alone.
        points: Points: one where `option` is empty.
    """

    name: str
    option: str
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class ShareCurves:
    """Curves of a ranking.

    Args:
        curves: Methods with three shares or more, in the order of the ranking.
        ends: Trained methods that learn the head alone, under the conditions of a curve.
        chosen_on: Split that learning rates were compared on; None where no share has several.
        criterion: Name of the accuracy that they were compared by.
        optimistic: Whether this is the split whose accuracies are shown.
    """

    curves: tuple[ShareCurve, ...]
    ends: tuple[ShareCurve, ...]
    chosen_on: str | None
    criterion: str
    optimistic: bool

    @property
    def all(self) -> tuple[ShareCurve, ...]:
        """Curves and ends."""
        return self.curves + self.ends


def share_curves(ranking: Ranking) -> ShareCurves | None:
    """Returns the curves of a ranking; None where no method has three shares."""
    trained = [
        entry
        for entry in ranking.entries
        if entry.cell.runs[0].training.epochs
        and entry.cell.runs[0].learned.backbone  # 0 in a file that was changed: no share is known
    ]
    families = [
        (option, family)
        for method in _grouped(trained, lambda settings: settings["method"])
        for option, family in _families([entry for entry in method if _learned(entry)])
    ]
    if not families:
        return None
    conditions = {_key(_conditions(family[0].settings)) for _, family in families}
    heads = [
        entry
        for entry in trained
        if not _learned(entry) and _key(_conditions(entry.settings)) in conditions
    ]
    ends = [("", family) for family in _alike(heads, _RATE)]
    every = [*families, *ends]
    runs = [run for _, family in every for entry in family for run in entry.cell.runs]
    on_val = all(run.selection.scores for run in runs)
    criterion = str(runs[0].selection.criterion) if on_val else ranking.metric
    names = name_settings([_without(family[0].settings, option, _RATE) for option, family in every])
    curves = [
        ShareCurve(name, option, _points(family, option, criterion, on_val=on_val))
        for name, (option, family) in zip(names, every, strict=True)
    ]
    split = runs[0].spec.split
    chosen_on = "val" if on_val else split
    several = any(len(point.rates) > 1 for curve in curves for point in curve.points)
    return ShareCurves(
        curves=tuple(curves[: len(families)]),
        ends=tuple(curves[len(families) :]),
        chosen_on=chosen_on if several else None,
        criterion=criterion,
        optimistic=several and chosen_on == split,
    )


def _families(method: Sequence[RankedCell]) -> list[tuple[str, list[RankedCell]]]:
    """Returns the cells of a method by the option that changes their shares.

    It is the option with the most shares in one curve; cells that differ in others are in different
    curves.
    """
    options = dict.fromkeys(k for one in method for k in one.settings if k.startswith("method."))
    found: list[tuple[str, list[RankedCell]]] = []
    most = MIN_SHARES - 1
    for option in options:
        families = _alike(method, option, _RATE)
        shares = [len({_learned(entry) for entry in family}) for family in families]
        if max(shares) > most:
            most = max(shares)
            found = [
                (option, family)
                for family, number in zip(families, shares, strict=True)
                if number >= MIN_SHARES
            ]
    return found


def _points(
    family: Sequence[RankedCell], option: str, criterion: str, *, on_val: bool
) -> tuple[CurvePoint, ...]:
    points = []
    for cells in _grouped(family, lambda settings: settings.get(option)):
        scores = [_score(entry, criterion, on_val=on_val) for entry in cells]
        best = int(np.argmax(scores))
        others = sorted(
            (entry for place, entry in enumerate(cells) if place != best),
            key=lambda entry: entry.cell.spec.train.lr,
        )
        points.append(CurvePoint(cells[best], tuple(others), scores[best]))
    return tuple(sorted(points, key=lambda point: point.share))


def _score(entry: RankedCell, criterion: str, *, on_val: bool) -> float:
    """Returns the score of a cell: on val of the kept epochs, mean over seeds, or on its split."""
    if on_val:
        kept = [run.selection.scores[run.selection.epoch or 0] for run in entry.cell.runs]
        return float(np.mean(kept))
    mean = entry.cell.mean(criterion)
    return -np.inf if mean is None else mean


def _learned(entry: RankedCell) -> int:
    return entry.cell.runs[0].learned.encoder


def _conditions(settings: Settings) -> Settings:
    """Returns the settings that do not describe the method and its learning rate."""
    own = [key for key in settings if key.partition(".")[0] == "method"]
    return _without(settings, *own, _RATE)


def _without(settings: Settings, *keys: str) -> Settings:
    return {key: value for key, value in settings.items() if key not in keys}


def _alike(entries: Iterable[RankedCell], *ignored: str) -> list[list[RankedCell]]:
    """Returns cells with equal settings but for some keys."""
    return _grouped(entries, lambda settings: _without(settings, *ignored))


def _grouped(
    entries: Iterable[RankedCell], by: Callable[[Settings], object]
) -> list[list[RankedCell]]:
    """Returns cells with an equal part of their settings, in the order of the first of each."""
    groups: dict[str, list[RankedCell]] = {}
    for entry in entries:
        groups.setdefault(_key(by(entry.settings)), []).append(entry)
    return list(groups.values())


def _key(value: object) -> str:
    return json.dumps(value, sort_keys=True)
