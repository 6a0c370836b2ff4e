"""Output of `ltbench data new`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.markup import escape

from ltbench.analysis.metrics import DEFAULT_RULE
from ltbench.data.survey.survey import SPLITS, Survey
from ltbench.io.console import console
from ltbench.io.fitted_table import FittedTable
from ltbench.io.text import line_text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console

FEW_TEST_IMAGES = 5
"""Number of test images below which the accuracy of a class is hardly one."""

_MAX_SHOWN = 5
_BAR_CHARACTERS = 30
_BINS = {
    "few": ((1, 1), (2, 4), (5, 9), (10, 19)),
    "medium": ((20, 49), (50, 100)),
    "many": ((101, 200), (201, 500), (501, 1000), (1001, None)),
}
"""Numbers of training images by shot group: the bars of the histogram."""


def as_json(survey: Survey) -> dict[str, Any]:
    """Returns a survey as JSON values."""
    counts = {split: survey.counts(split).tolist() for split in reversed(SPLITS)}
    groups = DEFAULT_RULE.groups(survey.counts("train"))
    return {
        "root": str(survey.root),
        "images": len(survey.paths),
        "classes": [
            {"name": name, **{split: counts[split][label] for split in counts}}
            for label, name in enumerate(survey.class_names)
        ],
        "splits": {split: sum(each) for split, each in counts.items()},
        "drawn": list(survey.drawn),
        "shot_groups": {group: int(classes.sum()) for group, classes in groups.items()},
        "unreadable": survey.unreadable,
        "duplicates": {path: kept or None for path, kept in survey.repeated.items()},
        "similar": None
        if survey.similar is None
        else [dataclasses.asdict(pair) for pair in survey.similar],
        "warnings": list(_warnings(survey)),
    }


def print_survey(survey: Survey, file: Path, command: str) -> None:
    """Prints the counts, the histogram and the faults of a survey, and the first command."""
    out = console()
    name = escape(survey.root.name or str(survey.root))
    out.print(f"\n[bold]{name}[/]: {len(survey.class_names):,} classes")
    out.print(_splits_table(survey))
    out.print()
    out.print(_histogram(survey.counts("train")))
    for warning in _warnings(survey):
        out.print(f"[yellow]warning[/]: {escape(line_text(warning))}", soft_wrap=True)
    _print_pairs(out, survey)
    out.print(f"\nwrote {escape(str(file))}: {len(survey.paths):,} images", soft_wrap=True)
    if command:
        out.print(f"next: [bold]{escape(command)}[/]", soft_wrap=True)


def _splits_table(survey: Survey) -> FittedTable:
    table = FittedTable("split")
    for column in ("images", "classes", "images a class"):
        table.add_column(column, right=True)
    table.add_column("")
    for split in reversed(SPLITS):
        counts = survey.counts(split)
        held = counts[counts > 0]
        if len(held):
            smallest, largest = held.min(), held.max()
            each = f"{largest:,}" if smallest == largest else f"{largest:,} to {smallest:,}"
            drawn = "drawn" if split in survey.drawn else ""
            table.add_row(split, f"{held.sum():,}", f"{len(held):,}", each, f"[dim]{drawn}[/]")
    return table


def _histogram(counts: NDArray[np.int64]) -> FittedTable:
    """Returns the number of classes by their number of training images, as bars."""
    groups = DEFAULT_RULE.groups(counts)
    table = FittedTable("shot group")
    table.add_column("training images", right=True)
    table.add_column("classes", right=True)
    table.add_column("")
    sizes = {
        (group, low, high): int(((counts >= low) & (counts <= (high or counts.max()))).sum())
        for group, bins in _BINS.items()
        for low, high in bins
    }
    filled = [key for key, size in sizes.items() if size]
    keys = list(sizes)
    shown = keys[keys.index(filled[0]) : keys.index(filled[-1]) + 1] if filled else []
    largest = max([*sizes.values(), 1])
    named = ""
    for group, low, high in shown:
        first = f"{group} ({int(groups[group].sum()):,})" if group != named else ""
        named = group
        size = sizes[group, low, high]
        span = f"{low:,}" if low == high else f"{low:,} to {high:,}" if high else f"from {low:,}"
        bar = "█" * round(size / largest * _BAR_CHARACTERS) or ("▏" if size else "")
        table.add_row(first, span, f"{size:,}", f"[cyan]{bar}[/]")
    return table


def _warnings(survey: Survey) -> Iterator[str]:
    """Yields sentences about files that were left out, and classes that cannot be tested well."""
    yield from survey.notes
    if survey.unreadable:
        first = [f"{path} {fault}" for path, fault in survey.unreadable.items()]
        yield f"left out, cannot be used: {len(first):,}: {_listed(first)}"
    equal = [path for path, kept in survey.repeated.items() if kept]
    mixed = [path for path, kept in survey.repeated.items() if not kept]
    if equal:
        pairs = [f"{path} = {survey.repeated[path]}" for path in equal]
        yield f"left out, the same bytes as another image: {len(equal):,}: {_listed(pairs)}"
    if mixed:
        yield f"left out, the same bytes in two classes: {len(mixed):,}: {_listed(mixed)}"
    tested = survey.counts("test")
    without = _named(survey, tested == 0)
    few = _named(survey, (tested > 0) & (tested < FEW_TEST_IMAGES))
    if without:
        yield (
            f"classes without test images, which are in no accuracy: {len(without):,} of "
            f"{len(survey.class_names):,}: {_listed(without)}"
        )
    if few:
        yield (
            f"classes with fewer than {FEW_TEST_IMAGES} test images, whose accuracies are coarse: "
            f"{len(few):,} of {len(survey.class_names):,}: {_listed(few)}"
        )
    untrained = _named(survey, survey.counts("train") == 0)
    if untrained:
        yield (
            f"classes without training images, which a run refuses: {len(untrained):,}: "
            f"{_listed(untrained)}"
        )
    if len(survey.class_names) < 2:
        yield "one class is left: a run expects two or more"


def _print_pairs(out: Console, survey: Survey) -> None:
    if survey.similar is None:
        return
    if not survey.similar:
        out.print("[green]ok[/]: no test image looks like a training image")
        return
    pairs = [f"{pair.other} ({pair.split}) ~ {pair.train}" for pair in survey.similar]
    out.print(
        f"[yellow]warning[/]: images that look like a training image: {len(pairs):,}: "
        f"{escape(line_text(_listed(pairs)))}",
        soft_wrap=True,
    )


def _named(survey: Survey, chosen: NDArray[np.bool_]) -> list[str]:
    return [survey.class_names[label] for label in np.flatnonzero(chosen)]


def _listed(names: Sequence[str]) -> str:
    more = ", ... (all with --json)" if len(names) > _MAX_SHOWN else ""
    return ", ".join(names[:_MAX_SHOWN]) + more
