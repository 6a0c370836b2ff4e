"""Keys of a TOML text with their lines, found without the limits of TOML on their order.

The values are left to `tomllib`. It reads a copy of the text in which every key is a number, in
the same line, so that no key conflicts with another one.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ltbench.config.text import to_toml
from ltbench.config.toml import MAX_DEPTH, TOO_DEEP, expect_short_keys, parse_toml

Path = tuple[str | int, ...]
"""Keys and list indices that lead to a value: ("include", 1, "train", "lr")."""

JOINT = "\x1f"
"""Text behind each part of a key within a value that was read."""

_BLANK = re.compile(r"[ \t]*+")
_BETWEEN = re.compile(r"(?:[ \t\n]++|#[^\n]*+)*+")
_REST_OF_LINE = re.compile(r"[ \t]*+(?:#[^\n]*+)?+(?:\n|\Z)")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+'""")
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5}'
    r"|'''(?:[^']++|'{1,2}(?!'))*+'{3,5}"
    r'|"(?:[^"\\\n]++|\\.)*+"'
    r"|'[^'\n]*+'",
    re.DOTALL,
)
_PLAIN_VALUE = re.compile(r"[^,\]}#\n]*+")
_LOCATION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class TomlError(ValueError):
    """A text is not TOML.

    Args:
        message: The fault.
        line: Line of the fault, from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line:,}: {message}")
        self.line = line


@dataclass
class Statement:
    """A header, or a key with its value.

    Args:
        parts: Parts of the header or key.
        line: Its line, from 1.
        header: "[" for a table, "[[" for an entry of a list of tables, "" for a key.
        value: Value of the key, with `JOINT` behind each part of the keys in it.
        inner: Keys within the value by their path from it, and their lines.
    """

    parts: tuple[str, ...]
    line: int
    header: str = ""
    value: Any = None
    inner: list[tuple[Path, int]] = field(default_factory=list)


def read_statements(text: str) -> list[Statement]:
    """Returns the statements of a TOML text, with their values.

    Args:
        text: Content of a file, with a line feed at the end of each line.

    Raises:
        TomlError: It is not TOML.
    """
    scanner = _Scanner(text)
    try:
        expect_short_keys(text)
        is_whole = scanner.scan()
        values = parse_toml(scanner.numbered())
    except TomlError:
        raise
    except ValueError as error:
        raise scanner.located(error) from None
    keys = [statement for statement in scanner.statements if not statement.header]
    if not is_whole or list(values) != [f"k{number}" for number in range(len(keys))]:
        raise TomlError("expected KEY = VALUE", scanner.line())
    for statement, value in zip(keys, values.values(), strict=True):
        statement.value = value
    return scanner.statements


@dataclass
class _Scanner:
    """Finds the statements of a text, and copies it with numbers in the place of keys.

    Args:
        text: The text.
        place: Index of the next character.
        statements: Statements before it, without values.
    """

    text: str
    place: int = 0
    statements: list[Statement] = field(default_factory=list)
    _spans: list[tuple[int, int, int]] = field(default_factory=list)
    _copied: list[str] = field(default_factory=list)
    _copied_to: int = 0

    def __post_init__(self) -> None:
        self._line_ends = [found.start() for found in re.finditer("\n", self.text)]

    def line(self) -> int:
        """Returns the line of the next character, from 1."""
        return bisect.bisect_left(self._line_ends, self.place) + 1

    def scan(self) -> bool:
        """Finds all statements; returns whether each has the form of one."""
        while True:
            self._skip(_BETWEEN)
            if self.place == len(self.text):
                return True
            start = self.place
            is_header = self.text.startswith("[", start)
            if not (self._header() if is_header else self._key_and_value()):
                self.place = start
                return False

    def numbered(self) -> str:
        """Returns the text without headers, and with numbers for keys up to the present place."""
        return "".join(self._copied) + self.text[self._copied_to :]

    def located(self, error: ValueError) -> TomlError:
        """Returns an error of the parser with its line, which is that of the text."""
        found = _LOCATION.search(str(error))
        message = _message(error)
        if found is not None and found[1] is not None:
            return TomlError(message, int(found[1]))
        for line, start, end in self._spans:
            try:
                parse_toml(f"k = {self.text[start:end]}")
            except ValueError as own:
                if _message(own) == message:
                    return TomlError(message, line)
        return TomlError(message, self.line())

    def _header(self) -> bool:
        begin, line = self.place, self.line()
        mark = "[[" if self.text.startswith("[[", begin) else "["
        end = "]" * len(mark)
        self.place += len(mark)
        parts = self._key()
        if parts is None or not self.text.startswith(end, self.place):
            return False
        self.place += len(end)
        if not _REST_OF_LINE.match(self.text, self.place):
            return False
        self.statements.append(Statement(parts, line, mark))
        self._replace(begin, "")
        return True

    def _key_and_value(self) -> bool:
        begin, line = self.place, self.line()
        parts = self._key()
        if parts is None or not self.text.startswith("=", self.place):
            return False
        self._replace(begin, f"k{len(self._spans)} ")
        self.place += 1
        self._skip(_BLANK)
        statement, start = Statement(parts, line), self.place
        is_whole = self._value((), statement.inner, 0)
        self.statements.append(statement)
        self._spans.append((line, start, self.place))
        return is_whole and self._skip(_REST_OF_LINE)

    def _key(self) -> tuple[str, ...] | None:
        """Returns the parts of a key and moves behind it; None for something else."""
        parts = []
        while True:
            self._skip(_BLANK)
            found = _KEY_PART.match(self.text, self.place)
            if found is None:
                return None
            part, self.place = found[0], found.end()
            try:
                parts.append(parse_toml(f"k = {part}")["k"] if part[0] in "\"'" else part)
            except ValueError:
                return None
            self._skip(_BLANK)
            if not self.text.startswith(".", self.place):
                return tuple(parts)
            self.place += 1

    def _value(self, path: Path, inner: list[tuple[Path, int]], depth: int) -> bool:
        """Moves behind a value and adds the keys in it; returns whether it has its end."""
        if depth > MAX_DEPTH + 2:
            raise TomlError(TOO_DEEP, self.line())
        first = self.text[self.place : self.place + 1]
        if first == "[":
            items = (self._value((*path, n), inner, depth + 1) for n in self._items("]"))
            return all(items) and self._moved_behind("]")
        if first == "{":
            items = (self._inner_key(path, inner, depth) for _ in self._items("}"))
            return all(items) and self._moved_behind("}")
        return self._skip(_STRING if first in ('"', "'") else _PLAIN_VALUE)

    def _inner_key(self, path: Path, inner: list[tuple[Path, int]], depth: int) -> bool:
        begin, line = self.place, self.line()
        parts = self._key()
        if parts is None or not self.text.startswith("=", self.place):
            return False
        inner.append(((*path, *parts), line))
        self._replace(begin, to_toml("".join(part + JOINT for part in parts)) + " ")
        self.place += 1
        self._skip(_BLANK)
        return self._value((*path, *parts), inner, depth + 1)

    def _items(self, end: str) -> Iterator[int]:
        """Yields the number of each item in brackets, at its place; the caller moves behind it."""
        self.place += 1
        number = 0
        while True:
            self._skip(_BETWEEN)
            if self.place == len(self.text) or self.text.startswith(end, self.place):
                return
            yield number
            self._skip(_BETWEEN)
            if not self._moved_behind(","):
                return
            number += 1

    def _moved_behind(self, mark: str) -> bool:
        found = self.text.startswith(mark, self.place)
        self.place += len(mark) * found
        return found

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Moves behind a pattern; returns whether it is here."""
        found = pattern.match(self.text, self.place)
        self.place = self.place if found is None else found.end()
        return found is not None

    def _replace(self, begin: int, by: str) -> None:
        """Copies the text up to a place, and another text for what follows up to here."""
        self._copied += [self.text[self._copied_to : begin], by]
        self._copied_to = self.place


def _message(error: ValueError) -> str:
    """Returns what the parser says, without the place and with keys as they are written."""
    said = _LOCATION.sub("", str(error))
    return said.replace(repr(JOINT)[1:-1], "").replace(JOINT, "")
