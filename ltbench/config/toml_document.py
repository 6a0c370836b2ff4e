"""TOML files of a user: their tables, and the line of every key.

In a file of settings, `method = "NAME"` and `method.dim = 4` are ordinary keys beside each other.
TOML refuses the second, because a key is either a value or a table; here it is a dotted key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltbench.config.toml_scanner import JOINT, Path, Statement, TomlError, read_statements

Table = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A key that is set in a statement of its own, not within a value.

    Args:
        path: Parts of the header above it and of the key, with the index in a list of tables.
        value: Value of the key.
    """

    path: Path
    value: Any

    @property
    def key(self) -> str:
        """The path as a dotted key."""
        return ".".join(map(str, self.path))


Lines = Mapping[Path, Sequence[int]]
"""Lines of each key and header by path, ascending. The parts of a path have no dots: the path of a
key is the same with quotes, without quotes and in a table."""


@dataclass(frozen=True)
class TomlDocument:
    """Content of a TOML file.

    Args:
        entries: Keys in the order of the file.
        table: Nested tables. Where a key is a value and a table, as `method` and `method.dim`, the
            table has the dotted key "method.dim".
        lines: Lines of each key and header.
    """

    entries: tuple[Entry, ...]
    table: Table
    lines: Lines


def read_document(text: str) -> TomlDocument:
    """Returns the content of a TOML text.

    Args:
        text: Content of a file, with a line feed at the end of each line.

    Raises:
        TomlError: It is not TOML, or sets a key twice.
    """
    builder = _Builder()
    for statement in read_statements(text):
        if statement.header:
            builder.open(statement)
        else:
            builder.set(statement)
    return TomlDocument(tuple(builder.entries), builder.table, builder.lines)


def line_of(lines: Lines, *path: str | int) -> int | None:
    """Returns the first line of a key, or of the innermost table around it; None where unknown.

    Args:
        lines: Lines of a document.
        path: Keys, which may be dotted, and list indices.
    """
    parts = undotted(path)
    for end in range(len(parts), 0, -1):
        if parts[:end] in lines:
            return lines[parts[:end]][0]
    return None


def undotted(path: Path) -> Path:
    """Returns a path whose keys have no dots.

    >>> undotted(("include", 0, "train.lr"))
    ('include', 0, 'train', 'lr')
    """
    return tuple(
        part for one in path for part in (one.split(".") if isinstance(one, str) else (one,))
    )


class _Builder:
    """Puts statements into nested tables, in their order."""

    def __init__(self) -> None:
        self.table: Table = {}
        self.entries: list[Entry] = []
        self.lines: dict[Path, list[int]] = {}
        self._scope: Path = ()
        self._into: Table = self.table
        self._prefix: tuple[str, ...] = ()
        self._keys: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}

    def set(self, statement: Statement) -> None:
        """Sets a key in the present table."""
        path = (*self._scope, *statement.parts)
        _expect_new(self._keys, undotted(path), statement.line)
        for inner, line in statement.inner:
            _expect_new(self._keys, undotted((*path, *inner)), line)
        value = _nested(statement.value)
        self.entries.append(Entry(path, value))
        self._note(path, statement.line)
        for inner, line in statement.inner:
            self._note((*path, *inner), line)
        _put(self._into, (*self._prefix, *statement.parts), value)

    def open(self, statement: Statement) -> None:
        """Makes the table of a header the present one."""
        self._scope, self._into, self._prefix = (), self.table, ()
        for part in statement.parts[:-1]:
            self._enter(part, statement.line)
        last = statement.parts[-1]
        if statement.header == "[":
            self._enter(last, statement.line, opens=True)
            _expect_new(self._tables, self._scope, statement.line)
        else:
            self._append(last, statement.line)
        self._note(self._scope, statement.line)

    def _enter(self, part: str, line: int, *, opens: bool = False) -> None:
        """Goes into a table of the present one, or into the last table of a list of them."""
        self._scope = (*self._scope, part)
        if self._prefix:
            self._prefix = (*self._prefix, part)
            return
        found = self._into.setdefault(part, {})
        if _is_list_of_tables(found):
            if opens:
                raise TomlError(f"{_shown(self._scope)} is a list of tables: use [[ ]]", line)
            self._scope = (*self._scope, len(found) - 1)
            found = found[-1]
        if isinstance(found, dict):
            self._into = found
        else:  # a value: the keys of its table are dotted
            self._prefix = (part,)

    def _append(self, part: str, line: int) -> None:
        """Adds a table to a list of tables."""
        path = (*self._scope, part)
        if self._prefix or undotted(path) in self._keys:
            raise TomlError(f"{_shown(path)} is set already, and is no list of [[ ]]", line)
        found = self._into.setdefault(part, [])
        if not isinstance(found, list):
            raise TomlError(f"{_shown(path)} is a table already", line)
        self._note(path, line)
        found.append({})
        self._scope, self._into = (*path, len(found) - 1), found[-1]

    def _note(self, path: Path, line: int) -> None:
        key = undotted(path)
        self.lines.setdefault(key, []).append(line)


def _expect_new(known: dict[Path, int], path: Path, line: int) -> None:
    if path in known:
        raise TomlError(f"{_shown(path)} is set twice, first in line {known[path]:,}", line)
    known[path] = line


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[-1], dict)


def _put(table: Table, parts: tuple[str, ...], value: Any) -> None:
    """Sets a key of several parts in a table."""
    for place, part in enumerate(parts[:-1]):
        if not isinstance(table.setdefault(part, {}), dict):
            table[".".join(parts[place:])] = value
            return
        table = table[part]
    below = table.pop(parts[-1], None)
    table[parts[-1]] = value
    if isinstance(below, dict):  # a table that was set before its own key has a value
        for name, one in below.items():
            _put(table, (parts[-1], name), one)


def _nested(value: Any) -> Any:
    """Returns a value in which the keys of several parts are tables."""
    if isinstance(value, list):
        return [_nested(one) for one in value]
    if not isinstance(value, dict):
        return value
    table: Table = {}
    for key, one in value.items():
        _put(table, tuple(key.split(JOINT)[:-1]), _nested(one))
    return table


def _shown(path: Iterable[str | int]) -> str:
    return ".".join(part for part in path if isinstance(part, str))
