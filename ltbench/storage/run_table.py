"""Table of stored runs: columns of settings, tags, metrics and records, sorted by one of them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ltbench.config.quick_look import KEYS as QUICK_KEYS
from ltbench.config.resolve import settings_of
from ltbench.errors import ConfigError, shortened
from ltbench.specs import SPECS
from ltbench.storage.result_schema import NUMBERS, RunResult
from ltbench.storage.run_keys import HASH, MISSING, distinct, key_values, missing_key

METRICS = NUMBERS
LOWER_IS_BETTER = {"ece"}
FINISHED, PATH, TAGS = "finished", "path", "tags"
_OWN = (HASH, PATH, FINISHED, TAGS, *METRICS)
_RECORDS = ("learned", "training", "selection", "evaluation", "environment")
_FIRST = (HASH, "dataset", "backbone", "method")
_LAST = ("seed", "accuracy", "few")
_MAX_VARYING = 3  # settings in the columns of a table whose columns are not chosen


@dataclass(frozen=True)
class RunTable:
    """Rows of stored runs.

    Args:
        columns: Names of the columns.
        runs: The runs, sorted.
        rows: Values of each run by column; None for a key that the run does not have.
    """

    columns: tuple[str, ...]
    runs: tuple[RunResult, ...]
    rows: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(
        cls, runs: Sequence[RunResult], columns: Sequence[str] = (), sort: str | None = None
    ) -> RunTable:
        """Returns the table of runs.

        Args:
            runs: Stored runs.
            columns: Names of columns: `hash`, `path`, `finished`, `tags`, metrics, `tag.NAME`, keys
                of settings, and numbers and texts of `result.json` by their dotted key, such as
                `training.seconds`. Empty for those that distinguish the runs.
            sort: Column to sort by. Metrics are sorted with the best first, others ascending;
                a leading "-" reverses the order. Runs without a value are last. None for the order
                of the paths.

        Raises:
            ConfigError: No run has a column.
        """
        key = None if sort is None else sort.removeprefix("-")
        chosen = tuple(dict.fromkeys(columns or _default_columns(runs, key)))
        every = [*chosen, *([key] if key is not None and key not in chosen else [])]
        values = {name: _column(runs, name) for name in every}
        for name in every:
            if runs and all(one is MISSING for one in values[name]):
                fault = missing_key(name, runs, [*_OWN, *_record_keys(runs[0])])
                raise ConfigError(
                    f"column {shortened(name)}: {fault}", hint="see ltbench runs show RUN"
                )
        order: Sequence[int] = range(len(runs))
        if sort is not None and key is not None:
            falls = (key in METRICS and key not in LOWER_IS_BETTER) != sort.startswith("-")
            order = _order(values[key], falls=falls)
        shown = [[_or_none(values[name][index]) for index in order] for name in chosen]
        rows = [dict(zip(chosen, row, strict=True)) for row in zip(*shown, strict=True)]
        return cls(chosen, tuple([runs[index] for index in order]), tuple(rows))


def _default_columns(runs: Sequence[RunResult], sort: str | None) -> list[str]:
    """Returns the columns that distinguish runs, with the one that they are sorted by."""
    varying = varying_keys(runs)[:_MAX_VARYING]
    first = list(_FIRST)
    specs = distinct(run.cell_spec for run in runs).values()
    if any(spec.dataset.title != spec.dataset.name for spec in specs):
        first.insert(first.index("dataset") + 1, "dataset.title")
    quick = [key for key in QUICK_KEYS if any(getattr(spec, key) for spec in specs)]
    names = list(dict.fromkeys((*first, *quick, *varying, *_LAST)))
    names += [sort] if sort is not None and sort not in names else []
    return [*names, TAGS] if any(run.tags or run.tags_fault for run in runs) else names


def varying_keys(runs: Sequence[RunResult]) -> list[str]:
    """Returns the keys of the settings in which runs of the same method and data differ.

    Seeds are left out, and so are options of a component that itself differs, and paths.

    Args:
        runs: Stored runs.
    """
    seen: dict[tuple[str, ...], dict[str, set[str]]] = {}
    specs = distinct(run.cell_spec for run in runs).values()
    for spec in {spec.cell_key: spec for spec in specs}.values():
        names = (spec.dataset.name, spec.backbone.name, spec.method.name)
        paths = {f"{kind}.{key}" for kind, choice in spec.choices().items() for key in choice.paths}
        values = seen.setdefault(names, {})
        for key, value in settings_of(spec).items():
            if key not in paths and key != "seed":
                values.setdefault(key, set()).add(repr(value))
    found: dict[str, None] = {}
    for values in seen.values():
        unlike = {key for key, texts in values.items() if len(texts) > 1}
        hidden = unlike & SPECS.keys()
        found |= {key: None for key in values if key in unlike and key.split(".")[0] not in hidden}
        found |= {key: None for key in values if key in hidden}
    return list(found)


def _column(runs: Sequence[RunResult], name: str) -> list[Any]:
    """Returns the value of a column for each run; MISSING for a run that does not have it."""
    if name in METRICS:
        place = NUMBERS.index(name)
        return [run.peek("metrics.numbers")[place] for run in runs]
    if name == HASH:
        return [run.hash for run in runs]
    if name == PATH:
        return [str(run.path) for run in runs]
    if name == FINISHED:
        return [finished_at(run) for run in runs]
    if name == TAGS:
        return [run.tags for run in runs]
    values = key_values(runs, name)
    record, dot, rest = name.partition(".")
    if not dot or record not in _RECORDS:
        return values
    return [
        _recorded(run.peek(record), rest) if value is MISSING else value
        for run, value in zip(runs, values, strict=True)
    ]


def _recorded(found: Any, name: str) -> Any:
    """Returns the value of a dotted key in a record; MISSING where it does not have the key."""
    for part in name.split("."):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, BaseModel) and part in type(found).model_fields:
            found = getattr(found, part)
        else:
            return MISSING
    return found


def finished_at(run: RunResult) -> str | None:
    """Returns the time at which `result.json` was written, as ISO 8601 in the local time zone.

    Args:
        run: Stored run; None is returned where its file is gone.
    """
    try:
        written = (run.path / RunResult.FILE).stat().st_mtime
    except OSError:
        return None
    return datetime.datetime.fromtimestamp(written).isoformat(" ", "seconds")


def _record_keys(run: RunResult) -> list[str]:
    return [f"{name}.{key}" for name in _RECORDS for key in type(getattr(run, name)).model_fields]


def _order(values: Sequence[Any], *, falls: bool) -> list[int]:
    """Returns the indices of values in their order; numbers before texts, missing values last."""
    gone = [index for index, value in enumerate(values) if value is None or value is MISSING]
    there = sorted(set(range(len(values))).difference(gone))
    # Stable in both directions: equal values keep the order of their paths.
    there.sort(key=lambda index: _sortable(values[index]), reverse=falls)
    return there + gone


def _sortable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value).lower()


def _or_none(value: Any) -> Any:
    return None if value is MISSING else value
