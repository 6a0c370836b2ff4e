"""Searches as a user writes them: `--search KEY=VALUES` and files of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltbench.config.settings_file import flattened, none_as_text, read_toml
from ltbench.config.text import Text, from_toml
from ltbench.errors import quoted, shortened

METHODS = "methods"
"""Table of a file with searches of single methods, by name."""

_FORMS = "4,8,16 or 5..20 or log:1e-4..1e-1"


@dataclass(frozen=True)
class Search:
    """Values to try for a setting.

    Args:
        key: Dotted key of the setting.
        values: Values to try, or the two ends of a range.
        method: Name of the only method that it is for; None for all methods.
        is_range: Whether the values are the ends of a range.
        log: Whether factors of a range are equally probable, instead of steps.
    """

    key: str
    values: tuple[Any, ...]
    method: str | None = None
    is_range: bool = False
    log: bool = False


def read_searches(texts: Sequence[str], path: Path | None = None) -> tuple[list[Search], list[str]]:
    """Returns the searches of a file and of texts, and their faults; texts replace those of a file.

    Args:
        texts: `[METHOD:]KEY=VALUES`, where the values are a list or a range.
        path: TOML file of keys and values; searches of a single method are in `[methods.NAME]`.

    Raises:
        ConfigError: The file cannot be read, or is not TOML.
    """
    faults: list[str] = []
    in_file = [] if path is None else list(_file_searches(path, faults))
    given = [search for text in texts if (search := _read_text(text, faults)) is not None]
    faults += [*_repeated(in_file, f"{path}: "), *_repeated(given, "--search ")]
    found = {(search.method, search.key): search for search in [*in_file, *given]}
    return list(found.values()), faults


def _file_searches(path: Path, faults: list[str]) -> Iterator[Search]:
    tables = dict(read_toml(path).table)
    of_methods = tables.pop(METHODS, {})
    if not isinstance(of_methods, dict) or not all(
        isinstance(t, dict) for t in of_methods.values()
    ):
        faults.append(f"{path}: {METHODS}: expected tables by method, as [{METHODS}.NAME]")
        of_methods = {}
    for method, table in [(None, tables), *of_methods.items()]:
        for key, value in flattened(table):
            search = _read_value(key, value, method)
            if isinstance(search, str):
                faults.append(f"{path}: {search}")
            else:
                yield search


def _read_text(text: str, faults: list[str]) -> Search | None:
    key, equals, values = (part.strip() for part in text.partition("="))
    method, colon, rest = key.partition(":")
    if not equals or not values or not (rest if colon else key):
        faults.append(f"--search {shortened(text)}: expected KEY=VALUES, as train.lr={_FORMS}")
        return None
    found = _read_value(rest, values, method) if colon else _read_value(key, values, None)
    if isinstance(found, str):
        faults.append(f"--search {found}")
        return None
    return found


def _read_value(key: str, value: Any, method: str | None) -> Search | str:
    """Returns a search, or its fault."""
    if isinstance(value, list):
        if not value:
            return f"{shortened(key)}: expected values, got an empty list"
        return Search(key, tuple(map(none_as_text, value)), method)
    if not isinstance(value, str):
        return f"{shortened(key)}: expected a list or a range, got {quoted(value)}"
    log = value.startswith("log:")
    low, dots, high = value.removeprefix("log:").partition("..")
    if dots and _is_number(low) and _is_number(high):
        return Search(key, (Text(low.strip()), Text(high.strip())), method, True, log)
    if log:
        return f"{shortened(key)}: expected a range, as log:1e-4..1e-1, got {quoted(value)}"
    return Search(key, tuple(map(Text, _parts(value))), method)


def _parts(text: str) -> list[str]:
    """Returns the parts of a text between its commas; those in brackets or quotes do not count.

    >>> _parts('4, 8'), _parts('["q", "v"], ["q"]')
    (['4', '8'], ['["q", "v"]', '["q"]'])
    """
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        else:
            depth += (letter in "[{") - (letter in "]}")
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _is_number(text: str) -> bool:
    try:
        return type(from_toml(text)) in (int, float)
    except ValueError:
        return False


def _repeated(searches: Sequence[Search], where: str) -> list[str]:
    keys = [_shown(search) for search in searches]
    return [
        f"{where}{shortened(key)} is searched twice"
        for key in dict.fromkeys(keys)
        if keys.count(key) > 1
    ]


def _shown(search: Search) -> str:
    return search.key if search.method is None else f"{search.method}:{search.key}"


def by_key(searches: Sequence[Search], method: str) -> Mapping[str, Search]:
    """Returns the searches of a method by key; those for it alone replace those for all methods."""
    general = {search.key: search for search in searches if search.method is None}
    return general | {search.key: search for search in searches if search.method == method}
