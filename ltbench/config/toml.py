"""TOML of a user, read with limits, because its parser recurses into what is nested."""

from __future__ import annotations

import re
import tomllib
from typing import Any

MAX_DEPTH = 32  # of lists and tables within each other, and of the parts of a key

_PART = r"""(?:(?<![\w-])[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?:{_PART}[ \t]*+\.[ \t]*+){{{MAX_DEPTH}}}")


def parse_toml(text: str) -> dict[str, Any]:
    """Returns the table of a TOML text.

    Raises:
        ValueError: It is not TOML, or too deeply nested.
    """
    expect_short_keys(text)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise ValueError("a whole number has too many digits") from None
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    if _depth_exceeds(table, MAX_DEPTH + 2):  # [[include]] is a table in a list in a table
        raise ValueError(TOO_DEEP)
    return table


def expect_short_keys(text: str) -> None:
    """Checks the number of parts of each key, for which the parser takes quadratic time.

    Raises:
        ValueError: A key has too many parts.
    """
    if text.count(".") >= MAX_DEPTH and _LONG_KEY.search(text):
        raise ValueError(f"a key has more than {MAX_DEPTH} parts")


TOO_DEEP = f"lists and tables are nested more than {MAX_DEPTH} deep"


def _depth_exceeds(value: Any, limit: int) -> bool:
    """Returns whether lists and tables are nested deeper than a limit."""
    level = [value]
    for _ in range(limit):
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [item for one in inner for item in one if isinstance(item, dict | list)]
        if not level:
            return False
    return True
