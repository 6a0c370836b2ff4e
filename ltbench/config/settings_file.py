"""Files of settings: every choice of a run as TOML, written and read again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.resolve import RUN_KEYS, Resolved, settings_of
from ltbench.config.text import Text, to_toml
from ltbench.config.toml_document import Lines, TomlDocument, line_of, read_document
from ltbench.errors import ConfigError, quoted, shortened
from ltbench.io.reading import read_regular
from ltbench.specs import SPECS, Settings

MAX_FILE_BYTES = 1_000_000
_KEY = re.compile(r"[^\s:=]+")
_HINT = "write KEY = VALUE, such as train.epochs = 4; texts are in quotes"


@dataclass(frozen=True)
class SettingsFile:
    """Settings of a file, on which those of the command line are put.

    Args:
        path: The file; None for no file.
        settings: Settings by dotted key.
        lines: Lines of its keys.
    """

    path: Path | None = None
    settings: Settings = field(default_factory=dict)
    lines: Lines = field(default_factory=dict)

    def under(self, given: Settings) -> dict[str, Any]:
        """Returns the settings of the file with others on top.

        The options of a component belong to it: another choice drops those of the file, and a table
        that is set as a whole drops what the file sets within it.

        Args:
            given: Settings by dotted key.
        """
        others = {kind for kind in SPECS.keys() & given if given[kind] != self.settings.get(kind)}
        kept = {
            key: value
            for key, value in self.settings.items()
            if key not in given
            and not ("." in key and key.partition(".")[0] in others)
            and not any(key.startswith(f"{whole}.") for whole in given if "." in whole)
        }
        return {**kept, **given}

    @contextmanager
    def naming_faults(self, given: Settings) -> Iterator[None]:
        """Adds the name of the file and the line to the faults of its settings.

        Args:
            given: Settings that replace those of the file.

        Raises:
            ConfigError: The block raised one.
        """
        try:
            yield
        except ConfigError as error:
            faults = error.faults or (error.message,)
            if self.path is None:
                raise
            own = {key: self.settings[key] for key in self.settings if key not in given}
            named = [self._named(fault, own) for fault in faults]
            raise ConfigError.from_faults(named, hint=error.hint) from error

    def _named(self, fault: str, own: Settings) -> str:
        """Returns a fault with its place, if it is one of the file's own settings."""
        key = key_of_fault(fault, own)
        if key is None:
            return fault
        line = line_of(self.lines, key)
        return f"{fault} ({self.path}" + (")" if line is None else f", line {line:,})")


def key_of_fault(fault: str, settings: Settings) -> str | None:
    """Returns the key of the setting that a fault is about; None where it is none of them.

    Args:
        fault: Text of the fault, which begins with a key, or names a component with its kind.
        settings: Settings by dotted key; a list has several values.
    """
    named = _KEY.match(fault)
    key = "" if named is None else named[0]
    shown = {shortened(one): one for one in settings}
    above = [part.rstrip(".") for part in itertools.accumulate(re.findall(r"[^.]+\.?", key))]
    for one in reversed(above):
        if one in shown:
            return shown[one]
    for kind in SPECS.keys() & settings.keys():
        value = settings[kind]
        for name in value if isinstance(value, list) else [value]:
            if f"{kind} {quoted(name)}" in fault:
                return kind
    return next((one for one in settings if one.startswith(f"{key}.")), None) if key else None


def read_settings_file(path: Path | None) -> SettingsFile:
    """Reads a file of settings.

    Args:
        path: TOML file with the keys of `--set`; None for no file.

    Raises:
        ConfigError: It cannot be read, or is not TOML.
    """
    if path is None:
        return SettingsFile()
    document = read_toml(path)
    settings: dict[str, Any] = {}
    for entry in document.entries:
        # A table that an option is set to stays whole; another one holds settings.
        for key, value in flattened({entry.key: entry.value}):
            settings[key] = none_as_text(value)
    return SettingsFile(path, settings, document.lines)


def read_toml(path: Path) -> TomlDocument:
    """Returns the content of a TOML file of the user.

    Raises:
        ConfigError: It cannot be read, or is not TOML.
    """
    try:
        content = read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", hint="give the path of a TOML file"
        ) from error
    try:
        return read_document(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except ValueError as error:
        raise ConfigError(f"{path} is not TOML: {error}", hint=_HINT) from error


def flattened(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the values of a table and of the tables in it by dotted key.

    The value of a key that is written with its dots, in quotes, may be a table itself.
    """
    for key, value in table.items():
        if isinstance(value, dict) and value and "." not in key:
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def none_as_text(value: Any) -> Any:
    """Returns a value of TOML in which the text "none" stands for nothing, as in `--set`."""
    if isinstance(value, dict):
        return {name: none_as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [none_as_text(one) for one in value]
    return Text(value) if isinstance(value, str) and value.lower() == "none" else value


def as_settings_file(resolved: Resolved) -> str:
    """Returns every choice of a run as a file of settings, each with its source.

    Args:
        resolved: Choices of the run.
    """
    spec = resolved.spec
    settings = settings_of(spec)
    lines = [
        f"# Run {spec.hash}: every choice, and where it comes from.",
        "# Start it with `ltbench run --config FILE`; other options of the command replace these.",
    ]
    sections = [
        *([key for key in settings if key.partition(".")[0] == kind] for kind in SPECS),
        [key for key in settings if key.startswith("train.")],
        list(RUN_KEYS),
    ]
    for section in sections:
        lines.append("")
        for key in section:
            source = resolved.sources.get(key, "default")
            lines.append(f"{key} = {to_toml(settings[key])}  # {source}")
    return "\n".join(lines) + "\n"
