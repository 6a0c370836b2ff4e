"""Types of options: their description in words, and reading of typed texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from ltbench.config.text import Text, from_toml

_WORDS = {
    NoneType: "none",
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
}
_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def members(hint: Any) -> list[Any]:
    """Returns the members of a union, or the one type, each without its limits.

    Generic types are returned as their origin, literals as they are.

    >>> [one.__name__ for one in members(Annotated[int, "limit"] | tuple[str, ...] | None)]
    ['int', 'tuple', 'NoneType']
    """
    return [one if get_origin(one) is Literal else get_origin(one) or one for one in _union(hint)]


def _union(hint: Any) -> Iterator[Any]:
    origin = get_origin(hint)
    if origin is Annotated:
        yield from _union(get_args(hint)[0])
    elif origin in (Union, UnionType):
        for member in get_args(hint):
            yield from _union(member)
    else:
        yield hint


def describe_type(hint: Any, *, many: bool = False) -> str:
    """Returns a type in words.

    >>> describe_type(tuple[int, ...] | Literal["all"] | None)
    'list of whole numbers or all or none'

    Args:
        hint: Type, `Annotated` with limits or not.
        many: Whether the plural is returned.
    """
    origin, given = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _limited(describe_type(given[0], many=many), given[1:])
    if origin in (Union, UnionType):
        said = " or ".join(describe_type(member, many=many) for member in given)
        return f"({said})" if many else said
    if origin is Literal:
        return ", ".join(_shown(value) for value in given)
    if origin is tuple and given[-1:] != (...,):
        return "[" + ", ".join(describe_type(one) for one in given) + "]"
    if origin in (tuple, list):
        return f"list of {describe_type(given[0], many=True)}"
    if origin is dict:
        return f"table of {describe_type(given[1], many=True)}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return ", ".join(_shown(member.value) for member in hint)
    if is_dataclass(hint):
        return "table of " + ", ".join(field.name for field in fields(hint) if field.init)
    word = _WORDS.get(hint, str(getattr(hint, "__name__", hint)).lower())
    return f"{word}s" if many and hint not in (NoneType, bool) else word


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _limited(word: str, limits: tuple[Any, ...]) -> str:
    def given(name: str) -> list[Any]:
        found = (getattr(limit, name, None) for limit in limits)
        return [one for one in found if one is not None]

    bounds = [f"{sign} {one}" for name, sign in _SIGNS.items() for one in given(name)]
    sizes = [f"at least {one}" for one in given("min_length") if one]
    sizes += [f"at most {one}" for one in given("max_length")]
    steps = [f"multiple of {one}" for one in given("multiple_of")]
    said = f"{word} {' and '.join(bounds)}" if bounds else word
    return ", ".join([said, *steps, *sizes])


def read_text(text: Text, hint: Any) -> Any:
    """Returns the value of a typed text for an option of a type.

    The text is read as TOML, unless the option is a text; in quotes it is always a text.
    """
    every = members(hint)
    if NoneType in every and text.lower() == "none":
        return None
    if any(get_origin(one) is Literal and str(text) in get_args(one) for one in every):
        return str(text)
    try:
        value = from_toml(text)
    except ValueError:
        return str(text)
    if isinstance(value, str):
        return value
    words = [one for one in every if one in (str, Path)]
    others = [one for one in _union(hint) if one not in (str, Path, NoneType)]
    if words and not any(_fits(value, other) for other in others):
        return str(text)
    return _with_words(value)


def _fits(value: Any, hint: Any) -> bool:
    if is_dataclass(hint):
        return isinstance(value, Mapping)
    try:
        TypeAdapter(hint).validate_python(value, strict=not isinstance(value, list))
    except ValidationError:
        return False
    return True


def _with_words(value: Any) -> Any:
    """Returns a value in which the word "none" is a `Text`, unlike other texts."""
    if isinstance(value, dict):
        return {name: _with_words(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_words(one) for one in value]
    return Text(value) if isinstance(value, str) and value.lower() == "none" else value
