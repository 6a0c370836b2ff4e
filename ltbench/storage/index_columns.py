"""Columns of an index: results as Arrow tables, and the results of their rows.

Parts that runs share, such as choices, classes and packages, are stored once, as dictionaries of
JSON texts. A part is checked by the model of `result.json` when it is first used.
"""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ltbench.config.runspec import Choice, RunConfig, RunSpec, TrainConfig
from ltbench.specs import SPECS
from ltbench.storage.environment_schema import Environment
from ltbench.storage.result_schema import NUMBERS, Metrics, RunResult
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.stored_file import Record

Stamp = tuple[int, int, int, int]
"""Modification time and change time in nanoseconds, size and inode of `result.json`."""

STAMP = ("mtime_ns", "ctime_ns", "size", "inode")
_DETAILS = ("per_class", "intervals")
_OF_METRICS = ("interval_method", "group_classes", "shot_rule", "test_images")
_SHARED = ("classes", "learned", "selection", "refinement", "warnings", "silenced_plugins")
_OWN = ("training", "evaluation", "directory")
_AMOUNTS = {
    "training.epochs": "int64",
    "training.seconds": "float64",
    "training.images_per_second": "float64",
    "evaluation.seconds": "float64",
    "peak_memory_mb": "float64",
}
"""Fields and parts of fields that tables show of every run, with their types of Arrow."""
_SETTINGS = tuple(field.name for field in fields(RunConfig) if field.name != "seed")
_COMMAND = "command"
_UNREAD = object()


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
    shared: dict[str, list[str]] = {name: [] for name in _shared_columns()}
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
            for name, kind in _AMOUNTS.items()
        },
        **{
            name: pa.array([_text(getattr(one, name)) for one in results], pa.large_string())
            for name in _OWN
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


class Rows:
    """Results in the rows of an index.

    Args:
        table: First table, of `as_tables`.
        details: Function that returns the second one.

    Raises:
        KeyError: A column is missing.
        ValueError: A column has another type.
    """

    def __init__(self, table: Any, details: Callable[[], Any]) -> None:
        self._details = details
        self.names: list[str] = table["name"].to_pylist()
        self.stamps: list[Stamp] = list(
            zip(*(table[name].to_pylist() for name in STAMP), strict=True)
        )
        self._hashes = table["hash"].to_pylist()
        self._earlier = table["earlier_hash"].to_pylist()
        self._seeds = table["seed"].to_pylist()
        self._numbers = list(zip(*(table[name].to_pylist() for name in NUMBERS), strict=True))
        self._parts: dict[str, Sequence[Any]] = {
            "hash": self._hashes,
            "earlier_hash": self._earlier,
            "metrics.numbers": self._numbers,
            **{name: table[name].to_pylist() for name in _AMOUNTS},
        }
        self._own = {name: table[name] for name in _OWN}
        self._own_texts: dict[str, list[str]] = {}
        self._codes, self._pools = dict[str, list[int]](), dict[str, list[str]]()
        for name in _shared_columns():
            column = _in_one_piece(table[name])
            self._codes[name] = column.indices.to_pylist()
            self._pools[name] = column.dictionary.to_pylist()
        self._parsed: dict[str, list[Any]] = {
            name: [_UNREAD] * len(pool) for name, pool in self._pools.items()
        }
        self._specs: dict[tuple[int, ...], RunSpec | None] = {}
        self._spec_codes = list(zip(*(self._codes[name] for name in _spec_columns()), strict=True))
        self._environments: dict[tuple[int, int], Environment] = {}

    def result(self, row: int, path: str) -> RunResult:
        """Returns the result of a row; most of its parts are read when they are first used.

        Args:
            row: Index of the row.
            path: Run directory, from which a part is read that the index has damaged.
        """
        codes = self._spec_codes[row]
        private = {
            "_read_field": self.reader(row, path),
            "_path": path,
            "_tags": None,
            "_cell_spec": self._spec(codes),
            "_seed": self._seeds[row],
        }
        known = {"hash": self._hashes[row], "earlier_hash": self._earlier[row]}
        return RunResult.with_late(known, private)

    def reader(self, row: int, path: str) -> Callable[[str], Any]:
        """Returns the function that reads fields of a result: see `result` and `LateFields`."""
        return functools.partial(self._field, row, path)

    def _field(self, row: int, path: str, name: str) -> Any:
        """Returns a field of a result, or a part of one that `LateFields.peek` names.

        Raises:
            DataError: Neither the index nor `result.json` can be used.
        """
        try:
            if (known := self._parts.get(name)) is not None:
                return known[row]
            field, dot, part = name.partition(".")
            if field == "metrics" and part in _OF_METRICS:
                return self._shared(field, self._codes[field][row])[part]
            value = self._whole(row, path, field)
            return operator.attrgetter(part)(value) if dot else value
        except ValueError:
            return operator.attrgetter(name)(_read_again(path))

    def _whole(self, row: int, path: str, name: str) -> Any:
        """Returns a field of a result.

        Raises:
            ValueError: The index has damaged it.
        """
        if name == "metrics":
            known = dict(zip(NUMBERS, self._numbers[row]))  # noqa: B905  # takes a third longer
            known.update(self._shared(name, self._codes[name][row]))
            read = functools.partial(self._detail, row, path)
            return Metrics.with_late(known, {"_read_field": read})
        if name == "environment":
            return self._environment(row)
        if name in _OWN:
            return _parsed(name, self._texts(name)[row])
        if name != "spec":
            return self._shared(name, self._codes[name][row])
        if (spec := self._spec(self._spec_codes[row])) is None:
            raise ValueError("its choices are damaged")
        return spec.with_seed(self._seeds[row])

    def _detail(self, row: int, path: str, name: str) -> Any:
        """Returns a field of the metrics.

        Raises:
            DataError: Neither the index nor `result.json` can be used.
        """
        try:
            value = self._details()[name][row].as_py()
            if name == "intervals":
                return _parsed(name, value)
            return _reader(name).validate_python(value, strict=True)
        except (ValueError, LookupError, OSError):
            return getattr(_read_again(path).metrics, name)

    def _texts(self, name: str) -> list[str]:
        if name not in self._own_texts:
            self._own_texts[name] = self._own[name].to_pylist()
        return self._own_texts[name]

    def _shared(self, name: str, code: int) -> Any:
        known = self._parsed[name]
        if (value := known[code]) is _UNREAD:
            value = known[code] = _parsed(name, self._pools[name][code])
        return value

    def _spec(self, codes: tuple[int, ...]) -> RunSpec | None:
        """Returns the choices of a cell, with any seed; None where the index has damaged them."""
        if codes not in self._specs:
            self._specs[codes] = self._made_spec(codes)
        return self._specs[codes]

    def _made_spec(self, codes: tuple[int, ...]) -> RunSpec | None:
        parts = zip(_spec_columns(), codes, strict=True)
        try:
            values = {name[len("run.") :]: self._shared(name, code) for name, code in parts}
        except ValueError:
            return None
        settings = vars(values.pop("settings"))
        return RunSpec(**{**settings, **values})

    def _environment(self, row: int) -> Environment:
        key = self._codes["environment"][row], self._codes[_COMMAND][row]
        if key not in self._environments:
            shared, command = self._shared("environment", key[0]), self._shared(_COMMAND, key[1])
            self._environments[key] = shared.model_copy(update={_COMMAND: command})
        return self._environments[key]


def _in_one_piece(column: Any) -> Any:
    """Returns the Arrow array of a column, whose values are read faster than those of pieces."""
    joined_pieces = column.combine_chunks()
    return joined_pieces.chunk(0) if hasattr(joined_pieces, "chunk") else joined_pieces


def _read_again(path: str) -> RunResult:
    return RunDirectory(Path(path)).finished()


def _stamp_types() -> list[Any]:
    import pyarrow as pa

    return [pa.int64(), pa.int64(), pa.int64(), pa.uint64()]


def _shared_columns() -> tuple[str, ...]:
    return (*_SHARED, "environment", _COMMAND, "metrics", *_spec_columns())


@functools.cache
def _spec_columns() -> tuple[str, ...]:
    return (*(f"run.{kind}" for kind in SPECS), "run.train", "run.settings")


def _shared_values(result: RunResult, text_of: Callable[[Any], str]) -> Mapping[str, str]:
    """Returns the texts of a result in the columns of parts that runs share."""
    spec, environment = result.spec, result.environment
    return {
        **{name: text_of(getattr(result, name)) for name in _SHARED},
        "environment": _text({**vars(environment), _COMMAND: []}),
        _COMMAND: _text(environment.command),
        "metrics": _text({name: getattr(result.metrics, name) for name in _OF_METRICS}),
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


def _parsed(name: str, text: str) -> Any:
    """Returns the value of a text in a column.

    Raises:
        ValueError: It is not what the model allows.
    """
    if name == "metrics":
        values = json.loads(text)
        return {key: _reader(key).validate_python(values[key], strict=True) for key in _OF_METRICS}
    return _reader(name).validate_json(text, strict=True)


@functools.cache
def _reader(name: str) -> TypeAdapter[Any]:
    """Returns the checks of a field's values."""
    types: dict[str, Any] = {
        **{f"run.{kind}": Choice for kind in SPECS},
        "run.train": TrainConfig,
        "run.settings": RunConfig,
    }
    for model in (RunResult, Metrics, Environment):
        for field, about in model.model_fields.items():
            types.setdefault(field, about.rebuild_annotation())
    return TypeAdapter(types[name])
