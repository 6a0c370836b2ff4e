"""Results of the rows of an index, whose parts are read when they are first used.

A part is checked by the model of `result.json`.
"""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ltbench.config.runspec import Choice, RunConfig, RunSpec, TrainConfig
from ltbench.specs import SPECS
from ltbench.storage.environment_schema import Environment
from ltbench.storage.index_columns import (
    AMOUNTS,
    COMMAND,
    OF_METRICS,
    OWN,
    SHARED,
    STAMP,
    Stamp,
    shared_columns,
    spec_columns,
)
from ltbench.storage.result_schema import NUMBERS, Metrics, RunResult
from ltbench.storage.run_directory import RunDirectory

_FEW_VALUES = 1_000  # of a column: all are parsed, though a few results may be needed
_UNREAD = object()


@dataclass(slots=True)
class RowReader:
    """Function that reads fields of a result in an index.

    Args:
        rows: Rows of the index.
        row: Index of the row.
        path: Run directory, from which a part is read that the index has damaged.
    """

    rows: Rows
    row: int
    path: str

    def __call__(self, name: str) -> Any:
        """Returns a field, or a part of one that `LateFields.peek` names."""
        return self.rows.field(self.row, self.path, name)


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
            **{name: table[name].to_pylist() for name in AMOUNTS},
        }
        self._own = {name: table[name] for name in OWN}
        self._own_texts: dict[str, list[str]] = {}
        self._codes, self._pools = dict[str, list[int]](), dict[str, list[str]]()
        for name in shared_columns():
            column = _in_one_piece(table[name])
            self._codes[name] = column.indices.to_pylist()
            self._pools[name] = column.dictionary.to_pylist()
        self._parsed: dict[str, list[Any]] = {
            name: [_UNREAD] * len(pool) for name, pool in self._pools.items()
        }
        self._specs: dict[tuple[int, ...], RunSpec | None] = {}
        self._spec_codes = list(zip(*(self._codes[name] for name in spec_columns()), strict=True))
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

    def reader(self, row: int, path: str) -> RowReader:
        """Returns the function that reads fields of a result: see `result` and `LateFields`."""
        return RowReader(self, row, path)

    def column(self, name: str) -> Sequence[Any] | None:
        """Returns a part of all results, which `LateFields.peek` names; None where it is no column.

        Reading it for many results takes a fifth of the time of their readers.
        """
        if name not in self._parts:
            field, _, part = name.partition(".")
            of_metrics = field == "metrics" and part in OF_METRICS
            if (not of_metrics and name not in SHARED) or len(self._pools[field]) > _FEW_VALUES:
                return None
            try:
                values = [self._shared(field, code) for code in range(len(self._pools[field]))]
            except ValueError:  # damaged: the results that have it are read again
                return None
            values = [value[part] for value in values] if of_metrics else values
            self._parts[name] = [values[code] for code in self._codes[field]]
        return self._parts[name]

    def field(self, row: int, path: str, name: str) -> Any:
        """Returns a field of a result, or a part of one that `LateFields.peek` names.

        Raises:
            DataError: Neither the index nor `result.json` can be used.
        """
        try:
            if (known := self._parts.get(name)) is not None:
                return known[row]
            field, dot, part = name.partition(".")
            if field == "metrics" and part in OF_METRICS:
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
        if name in OWN:
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
        parts = zip(spec_columns(), codes, strict=True)
        try:
            values = {name[len("run.") :]: self._shared(name, code) for name, code in parts}
        except ValueError:
            return None
        settings = vars(values.pop("settings"))
        return RunSpec(**{**settings, **values})

    def _environment(self, row: int) -> Environment:
        key = self._codes["environment"][row], self._codes[COMMAND][row]
        if key not in self._environments:
            shared, command = self._shared("environment", key[0]), self._shared(COMMAND, key[1])
            self._environments[key] = shared.model_copy(update={COMMAND: command})
        return self._environments[key]


def _in_one_piece(column: Any) -> Any:
    """Returns the Arrow array of a column, whose values are read faster than those of pieces."""
    joined_pieces = column.combine_chunks()
    return joined_pieces.chunk(0) if hasattr(joined_pieces, "chunk") else joined_pieces


def _read_again(path: str) -> RunResult:
    return RunDirectory(Path(path)).finished()


def _parsed(name: str, text: str) -> Any:
    """Returns the value of a text in a column.

    Raises:
        ValueError: It is not what the model allows.
    """
    if name == "metrics":
        values = json.loads(text)
        return {key: _reader(key).validate_python(values[key], strict=True) for key in OF_METRICS}
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
