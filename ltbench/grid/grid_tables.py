"""Tables of a grid file: its entries on top of the defaults, and its patterns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.settings_file import key_of_fault
from ltbench.config.toml_document import Lines, line_of, read_document, undotted
from ltbench.errors import ConfigError, quoted, shortened, suggestion
from ltbench.io.reading import read_regular
from ltbench.specs import SPECS, Settings

MAX_FILE_BYTES = 10_000_000
MAX_PATTERNS = 1_000  # each is compared with every run
LISTS = "a list is an axis, with a run for each value; a value that is a list is written [[0, 1]]"
HINT = f"{LISTS}; options are written like other settings: method.dim = 4"
KEYS = ("name", "defaults", "include", "exclude", "executor")
_MAX_NAME_CHARACTERS = 100
_MAX_DEPTH = 20
_HINT_OF_TABLES = "give what a grid file holds: {'defaults': {'seed': [0, 1]}, 'include': [...]}"


def read_tables(path: Path) -> GridTables:
    """Reads a grid file without resolving its runs.

    Raises:
        ConfigError: It cannot be read, or is not TOML.
    """
    try:
        content = read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", hint="give the path of a grid file"
        ) from error
    try:
        document = read_document(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except ValueError as error:
        raise ConfigError(f"{path} is not TOML: {error}", hint=HINT) from error
    return GridTables(document.table, path.stem, document.lines)


def tables_of(content: Mapping[str, Any]) -> GridTables:
    """Returns the tables of a grid that is given as Python values instead of a file.

    A list is an axis, as in a file; a tuple is one value that is a list.

    Args:
        content: Content of a grid file: keys `name`, `defaults`, `include`, `exclude`,
            `executor`.

    Raises:
        ConfigError: A key is not a text, or tables are nested too deeply.
    """
    return GridTables(_with_text_keys(content, _MAX_DEPTH), "grid")


def _with_text_keys(value: Any, depth: int) -> Any:
    """Returns tables as dictionaries, whose keys were checked."""
    if not isinstance(value, list | Mapping):
        return value
    if depth <= 0:
        raise ConfigError(
            f"grid: expected at most {_MAX_DEPTH} tables in each other", hint=_HINT_OF_TABLES
        )
    if isinstance(value, list):
        return [_with_text_keys(one, depth - 1) for one in value]
    wrong = [key for key in value if not isinstance(key, str)]
    if wrong:
        raise ConfigError(
            f"grid: expected texts as keys, got {quoted(wrong[0])}", hint=_HINT_OF_TABLES
        )
    return {key: _with_text_keys(one, depth - 1) for key, one in value.items()}


@dataclass
class GridTables:
    """Tables of a grid file, and the faults of its form.

    Args:
        stored: Content of the file.
        stem: Name of the grid where the file sets none.
        lines: Lines of the file's keys; empty where the content is not that of a file.
    """

    stored: Mapping[str, Any]
    stem: str
    lines: Lines = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    include: list[dict[str, Any]] = field(default_factory=list)
    exclude: list[dict[str, Any]] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    executor: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.faults += [
            self._at(f"there is no key '{shortened(key)}'; {suggestion(key, KEYS)}", key)
            for key in self.stored
            if key not in KEYS
        ]
        if not _is_name(self.stored.get("name", "grid")):
            fault = f"name: expected a string of 1 to {_MAX_NAME_CHARACTERS} characters"
            self.faults.append(self._at(fault, "name"))
        found = self.stored.get("defaults", {})
        self.defaults = self._table("defaults", found, "defaults")
        self.executor = self._table("executor", self.stored.get("executor", {}), "executor")
        self.include = self._tables("include")
        self.exclude = self._tables("exclude")
        if len(self.exclude) > MAX_PATTERNS:
            self.faults.append(
                f"exclude: expected at most {MAX_PATTERNS:,} patterns, got {len(self.exclude):,}"
            )
        if not self.defaults and not self.include:
            self.faults.append("expected [defaults] or [[include]], got neither")

    @property
    def name(self) -> str:
        """Name of the grid."""
        return str(self.stored.get("name", self.stem))

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Entries on top of the defaults; the defaults alone where the file has no entry."""
        return [_with_defaults(self.defaults, entry) for entry in self.include or [{}]]

    def entry_fault(self, number: int, fault: str) -> str:
        """Returns a fault of an entry with the table at fault, and the line of the setting.

        Args:
            number: Index of the entry in `entries`.
            fault: Text of the fault.
        """
        if self.include:
            key = key_of_fault(fault, self.include[number])
            if key is not None or key_of_fault(fault, self.defaults) is None:
                path = ("include", number) if key is None else ("include", number, key)
                return self._at(f"include {number + 1}: {fault}", *path)
        # The same text for every entry: the fault is shown once.
        key = key_of_fault(fault, self.defaults)
        return self._at(f"defaults: {fault}", *("defaults", key) if key else ("defaults",))

    def pattern_fault(self, number: int, fault: str, key: str = "") -> str:
        """Returns a fault of a pattern with the pattern and the line.

        Args:
            number: Index of the pattern in `exclude`.
            fault: Text of the fault.
            key: Key at fault; empty for the whole pattern.
        """
        path = ("exclude", number, key) if key else ("exclude", number)
        return self._at(f"exclude {number + 1}: {fault}", *path)

    def _at(self, fault: str, *path: str | int) -> str:
        """Returns a fault with the line of a key, where it is known."""
        line = line_of(self.lines, *path)
        return fault if line is None else f"{fault} (line {line:,})"

    def _tables(self, name: str) -> list[dict[str, Any]]:
        found = self.stored.get(name, [])
        if not isinstance(found, list):
            self.faults.append(self._at(f"{name}: expected [[{name}]], with two brackets", name))
            return []
        return [self._table(f"{name} {n + 1}", table, name, n) for n, table in enumerate(found)]

    def _table(self, where: str, table: Any, *path: str | int) -> dict[str, Any]:
        if not isinstance(table, dict):
            fault = f"{where}: expected a table of settings, got {quoted(table)}"
            self.faults.append(self._at(fault, *path))
            return {}
        flat: dict[str, Any] = {}
        for key, value in _flattened(table):
            if key in flat:
                lines = self.lines.get(undotted((*path, key)), ())
                in_lines = f" (lines {' and '.join(map(str, lines))})" if lines else ""
                self.faults.append(f"{where}: {shortened(key)} is set twice{in_lines}")
            if isinstance(value, list) and not value:
                fault = f"{where}: {shortened(key)}: expected a value, got an empty list"
                self.faults.append(self._at(fault, *path, key))
            flat[key] = value
        return flat


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME_CHARACTERS and value.isprintable()


def _flattened(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _with_defaults(defaults: Settings, entry: Settings) -> dict[str, Any]:
    """Returns an entry on top of the defaults; its own axes come first and change slowest."""
    # The options of a component belong to it: another choice drops them.
    others = {kind for kind in SPECS.keys() & entry if entry[kind] != defaults.get(kind)}
    kept = {
        key: value
        for key, value in defaults.items()
        if key not in entry and not ("." in key and key.partition(".")[0] in others)
    }
    return {**entry, **kept}
