"""Checks options against the frozen dataclass that describes them."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from ltbench.config.text import Text
from ltbench.errors import suggestion


@dataclass(frozen=True)
class OptionHelp:
    """One option as `ltbench show` prints it."""

    name: str
    type: str
    default: Any
    help: str


def parse_options(
    config: type, values: Mapping[str, Any], where: str, owner: str
) -> tuple[Any | None, list[str]]:
    """Makes a config from values.

    Args:
        config: A dataclass; ranges are `Annotated[int, annotated_types.Gt(0)]` and the like.
        values: Options by name; `Text` is read as TOML where the option is not a string.
        where: What they belong to, for messages: "method" of "method.dim".
        owner: Whose options they are, for messages: "method 'lift_plus'".

    Returns:
        The config, or None with all the faults found.
    """
    hints = _hints(config)
    names = [field.name for field in fields(config)]
    faults = [
        f"{where}.{name}: there is no such option of {owner}; {suggestion(name, names)}"
        for name in values
        if name not in names
    ]
    known = {name: _read(value, hints[name]) for name, value in values.items() if name in names}
    try:
        parsed: Any = _adapter(config).validate_python(known)
    except ValidationError as error:
        exact = get_type_hints(config, include_extras=True)
        for name in dict.fromkeys(str(fault["loc"][0]) for fault in error.errors()):
            expected = _describe_type(exact[name]) if name in exact else "something else"
            faults.append(f"{where}.{name}: expected {expected}, got {values.get(name)!r}")
        return None, faults
    for name in known:
        value = getattr(parsed, name)
        if isinstance(value, float) and not math.isfinite(value):
            faults.append(f"{where}.{name}: expected a finite number, got {value}")
    return (None, faults) if faults else (parsed, [])


def dump_options(config: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns a config's values as JSON has them: those that are no paths, and those that are."""
    kind: Any = type(config)
    dumped = _adapter(kind).dump_python(config, mode="json")
    paths = {name for name in dumped if isinstance(getattr(config, name), Path)}
    return (
        {name: value for name, value in dumped.items() if name not in paths},
        {name: value for name, value in dumped.items() if name in paths},
    )


@cache  # a grid reads the same few configs thousands of times
def _adapter(config: Any) -> TypeAdapter[Any]:
    return TypeAdapter(config)


@cache
def _hints(config: type) -> dict[str, Any]:
    return get_type_hints(config)


def describe_options(config: type) -> list[OptionHelp]:
    """Returns the options of a config with types, defaults and help."""
    hints = get_type_hints(config, include_extras=True)
    return [
        OptionHelp(
            name=field.name,
            type=_describe_type(hints[field.name]),
            default=field.default,
            help=field.metadata.get("help", ""),
        )
        for field in fields(config)
    ]


def as_typed(value: Any) -> str:
    """Returns a value as a user types it.

    >>> [as_typed(value) for value in (None, True, 0.5, "tte", ("q", "v"))]
    ['none', 'true', '0.5', 'tte', '["q", "v"]']
    """
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _describe_type(hint: Any) -> str:
    """Says what a value may be: "int > 0 or none"."""
    origin = get_origin(hint)
    if hint is NoneType:
        return "none"
    if origin is Annotated:
        base, *limits = get_args(hint)
        signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
        bounds = [
            f"{sign} {getattr(limit, name)}"
            for limit in limits
            for name, sign in signs.items()
            if hasattr(limit, name)
        ]
        return " ".join([_describe_type(base), *([" and ".join(bounds)] if bounds else ())])
    if origin in (Union, UnionType):
        return " or ".join(_describe_type(member) for member in get_args(hint))
    if origin is Literal:
        return ", ".join(str(value) for value in get_args(hint))
    if origin is tuple:
        return f"list of {_describe_type(get_args(hint)[0])}"
    return str(getattr(hint, "__name__", hint)).lower()


def _read(value: Any, hint: Any) -> Any:
    if not isinstance(value, Text):
        return value
    members = get_args(hint) or (hint,)
    if NoneType in members and value.lower() == "none":
        return None
    if str in members:
        return str(value)
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return str(value)
