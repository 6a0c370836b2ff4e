"""Strict reading of JSON that other programs may have written."""

from __future__ import annotations

import json
from typing import Any, NoReturn

MAX_DEPTH = 100
"""Most lists and objects within each other; files of ltbench have 8."""


def parse_json(content: bytes) -> Any:
    """Returns the value of a JSON text.

    Python's own reader takes more than JSON: NaN, infinity, and keys that occur twice, of which it
    keeps the last. None of them is read here, nor lists within lists without end. A number that no
    float can hold is still read as infinity: the types of the values exclude it.

    Args:
        content: JSON text in UTF-8.

    Raises:
        ValueError: It is not JSON, has such a value, or is nested deeper than `MAX_DEPTH`.
    """
    try:
        value = _DECODER.decode(content.decode())
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    if content.count(b"[") + content.count(b"{") > MAX_DEPTH:  # else it cannot be too deep
        _check_depth(value, MAX_DEPTH)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice in an object")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse)
_TOO_DEEP = f"it has more than {MAX_DEPTH} lists and objects within each other"


def _check_depth(value: Any, depth: int) -> None:
    """Checks that a value has at most a number of lists and objects within each other.

    Raises:
        ValueError: It has more.
    """
    if isinstance(value, list | dict):
        if not depth:
            raise ValueError(_TOO_DEEP)
        for one in value.values() if isinstance(value, dict) else value:
            _check_depth(one, depth - 1)
