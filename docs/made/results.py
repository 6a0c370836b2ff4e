"""Tables of the keys of stored JSON files, made from their models."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from docs.made.markup import cell, table
from ltbench.storage import result_schema
from ltbench.storage.environment_schema import Ranks
from ltbench.storage.migrations import SCHEMA
from ltbench.storage.result_schema import Amount, Count, Interval, Percent
from ltbench.storage.stored_file import Record

_NAMED = (
    (Percent, "percent, 0 to 100"),
    (Amount, "number, at least 0"),
    (Count, "whole number, at least 0"),
    (Ranks, "whole number, at least 1"),
    (Interval, "two numbers"),
    (str, "text"),
    (bool, "true or false"),
    (Any, "any value"),
)


def keys(model: str) -> str:
    """Returns a table of the keys of a file: dotted key, value, description.

    Args:
        model: Name of the model in `ltbench.storage.result_schema`.
    """
    schema = ("`schema`", "whole number", f"version of the file's form: {SCHEMA}")
    rows = [schema, *_rows(getattr(result_schema, model))]
    return table(("key", "value", ""), rows)


def _rows(model: type[Record], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yields a row for each field of a model and of the models in it."""
    hints = get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inner = _model(hints[name])
        if inner is None or field.description:
            value = "object or null" if inner is not None else _value(hints[name])
            yield f"`{key}`", cell(value), cell(field.description or "")
        if inner is not None:
            yield from _rows(inner, f"{key}.")


def _model(hint: Any) -> type[Record] | None:
    """Returns the model of a field that is an object with keys of its own."""
    for one in (hint, *get_args(hint)):
        if isinstance(one, type) and issubclass(one, Record):
            return one
    return None


def _value(hint: Any) -> str:
    """Returns a type and its range in words."""
    for known, words in _NAMED:
        if hint == known:
            return words
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if one is types.NoneType else _value(one) for one in inner)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin is Annotated:
        return _value(inner[0])
    if origin is list:
        return f"list: {_value(inner[0])}"
    if origin is dict:
        return "object" if inner[1] is Any else f"object of: {_value(inner[1])}"
    return "object"
