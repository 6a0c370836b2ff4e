"""Values as typed on the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ltbench.config.toml import parse_toml


class Text(str):
    """A value as typed by a user; its type follows from its option."""


def from_toml(text: str) -> Any:
    """Returns the value of a TOML text.

    Raises:
        ValueError: The text is not a single value.
    """
    if "\n" in text:
        raise ValueError("expected a value in one line")
    return parse_toml(f"value = {text}")["value"]


def as_typed(value: Any) -> str:
    r"""Returns a value as a user types it.

    >>> [as_typed(value) for value in (None, True, 0.5, "tte", ("q", "v"), "8", {"warmup": 3})]
    ['none', 'true', '0.5', 'tte', '["q", "v"]', '"8"', '{warmup = 3}']
    >>> as_typed("\x1b")
    '"\\u001b"'
    """
    if value is None:
        return "none"
    as_it_is = isinstance(value, str) and value.isprintable() and not _is_toml(value)
    return value if as_it_is else to_toml(value)


def _is_toml(text: str) -> bool:
    """Returns whether a text is a value of TOML: it would not be read as a text."""
    try:
        from_toml(text)
    except ValueError:
        return False
    return True


def to_toml(value: Any) -> str:
    r"""Returns a value as TOML; none, which TOML lacks, is the text "none".

    >>> print(to_toml({"a b": [None, 1e-05, "\x7f"]}))
    {"a b" = ["none", 1e-05, "\u007f"]}
    """
    if isinstance(value, Mapping):
        items = (f"{_key(name)} = {to_toml(one)}" for name, one in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if value is None:
        return '"none"'
    return _quoted(value) if isinstance(value, str) else json.dumps(value, default=str)


def _quoted(text: str) -> str:
    """Returns a text as a string of TOML, whose escapes of characters are not those of JSON."""
    if text.isprintable():
        return json.dumps(text, ensure_ascii=False)
    escaped = (
        json.dumps(one, ensure_ascii=False)[1:-1] if one.isprintable() else _escape(ord(one))
        for one in text
    )
    return '"' + "".join(escaped) + '"'


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _key(name: object) -> str:
    text = str(name)
    bare = text.isascii() and text.replace("_", "").replace("-", "").isalnum()
    return text if bare else _quoted(text)
