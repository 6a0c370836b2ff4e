"""Columns of an index: results as Arrow tables.

Parts that runs share, such as choices, classes and packages, are stored once, as dictionaries of
JSON texts.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ltbench.config.runspec import Choice, RunConfig, TrainConfig
from ltbench.specs import SPECS
from ltbench.storage.result_schema import NUMBERS, RunResult
from ltbench.storage.stored_file import Record

Stamp = tuple[int, int, int, int]
"""Modification time and change time in nanoseconds, size and inode of `result.json`."""

STAMP = ("mtime_ns", "ctime_ns", "size", "inode")
DETAILS = ("per_class", "intervals")
OF_METRICS = ("interval_method", "group_classes", "shot_rule", "test_images")
SHARED = ("classes", "learned", "selection", "refinement", "warnings", "silenced_plugins")
OWN = ("training", "evaluation", "directory")
AMOUNTS = {
    "training.epochs": "int64",
    "training.seconds": "float64",
    "training.images_per_second": "float64",
    "evaluation.seconds": "float64",
    "peak_memory_mb": "float64",
}
"""Fields and parts of fields that tables show of every run, with their types of Arrow."""
_SETTINGS = tuple(field.name for field in fields(RunConfig) if field.name != "seed")
COMMAND = "command"


@dataclass(frozen=True)
class IndexedRun:
    """Result that an index is to hold.

    Args:
        name: Path of the run directory, relative to the folder of the index.
        stamp: Stamp of its `result.json` before it was read.
        result: The result.
    """

    name: str
    stamp: Stamp
    result: RunResult


def as_tables(runs: Sequence[IndexedRun]) -> tuple[Any, Any]:
    """Returns the two tables of some results, which `Rows` reads."""
    import pyarrow as pa

    results = [run.result for run in runs]
    shared: dict[str, list[str]] = {name: [] for name in shared_columns()}
    text_of = _Texts().of
    for result in results:
        for name, value in _shared_values(result, text_of).items():
            shared[name].append(value)
    metrics = [result.metrics for result in results]
    columns = {
        "name": pa.array([run.name for run in runs], pa.string()),
        **{
            name: pa.array([run.stamp[place] for run in runs], kind)
            for place, (name, kind) in enumerate(zip(STAMP, _stamp_types(), strict=True))
        },
        "hash": pa.array([result.hash for result in results], pa.string()),
        "earlier_hash": pa.array([result.earlier_hash for result in results], pa.string()),
        "seed": pa.array([result.seed for result in results], pa.int64()),
        **{name: pa.array([one.value(name) for one in metrics], pa.float64()) for name in NUMBERS},
        **{
            name: pa.array([one.peek(name) for one in results], kind)
            for name, kind in AMOUNTS.items()
        },
        **{
            name: pa.array([_text(getattr(one, name)) for one in results], pa.large_string())
            for name in OWN
        },
        **{name: pa.array(texts).dictionary_encode() for name, texts in shared.items()},
    }
    details = {
        "per_class": pa.array([one.per_class for one in metrics], pa.large_list(pa.float64())),
        "intervals": pa.array([_text(one.intervals) for one in metrics], pa.large_string()),
    }
    return pa.table(columns), pa.table(details)


def joined(tables: Sequence[Any]) -> Any:
    """Returns the rows of several tables as one whose columns are in one piece."""
    import pyarrow as pa

    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def piled(tables: Sequence[Any]) -> Any:
    """Returns the rows of several tables as one that shares their memory."""
    import pyarrow as pa

    return pa.concat_tables(tables)


def renamed(rows: Any, above: str) -> Any:
    """Returns the rows of an index as those of one in a folder below it.

    Args:
        rows: Rows of runs in that folder.
        above: Path of the folder, with a slash at its end; empty for the same folder.
    """
    import pyarrow as pa

    names = [name.removeprefix(above) for name in rows["name"].to_pylist()]
    at = rows.schema.get_field_index("name")
    return rows.set_column(at, "name", pa.array(names, pa.string())) if above else rows


def _stamp_types() -> list[Any]:
    import pyarrow as pa

    return [pa.int64(), pa.int64(), pa.int64(), pa.uint64()]


def shared_columns() -> tuple[str, ...]:
    """Returns the names of columns with parts that runs share."""
    return (*SHARED, "environment", COMMAND, "metrics", *spec_columns())


@functools.cache
def spec_columns() -> tuple[str, ...]:
    """Returns the names of columns with choices of runs."""
    return (*(f"run.{kind}" for kind in SPECS), "run.train", "run.settings")


def _shared_values(result: RunResult, text_of: Callable[[Any], str]) -> Mapping[str, str]:
    """Returns the texts of a result in the columns of parts that runs share."""
    spec, environment = result.spec, result.environment
    return {
        **{name: text_of(getattr(result, name)) for name in SHARED},
        "environment": _text({**vars(environment), COMMAND: []}),
        COMMAND: _text(environment.command),
        "metrics": _text({name: getattr(result.metrics, name) for name in OF_METRICS}),
        **{f"run.{kind}": text_of(choice) for kind, choice in spec.choices().items()},
        "run.train": text_of(spec.train),
        "run.settings": _text({name: getattr(spec, name) for name in _SETTINGS}),
    }


class _Texts:
    """JSON texts of objects that stay in memory; those of shared ones are made once."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, part: Any) -> str:
        """Returns the text of a part of a result."""
        if (text := self._known.get(id(part))) is None:
            text = self._known[id(part)] = _text(part)
        return text


def _text(value: Any) -> str:
    if isinstance(value, Record):
        value = value.model_dump()
    elif isinstance(value, Choice):
        value = value.to_dict()
    elif isinstance(value, TrainConfig):
        value = vars(value)
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
