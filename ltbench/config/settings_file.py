"""Files of settings: every choice of a run as TOML, written and read again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.resolve import RUN_KEYS, Resolved, settings_of
from ltbench.config.text import Text, to_toml
from ltbench.config.toml import parse_toml
from ltbench.errors import ConfigError, quoted, shortened
from ltbench.io.reading import read_regular
from ltbench.specs import SPECS, Settings

MAX_FILE_BYTES = 1_000_000
_HINT = 'options of components are written in quotes: "method.dim" = 4'


@dataclass(frozen=True)
class SettingsFile:
    """Settings of a file, on which those of the command line are put.

    Args:
        path: The file; None for no file.
        settings: Settings by dotted key.
        faults: Faults of the file's form.
    """

    path: Path | None = None
    settings: Settings = field(default_factory=dict)
    faults: tuple[str, ...] = ()

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
        """Adds the name of the file to the faults of its settings.

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
            own = self.settings.keys() - given.keys()
            shown = {shortened(key) for key in own} | own
            chosen = [f"{kind} {quoted(self.settings[kind])}" for kind in SPECS.keys() & own]
            named = [
                f"{one} ({self.path})" if _concerns(one, shown, chosen) else one for one in faults
            ]
            raise ConfigError.from_faults(named, hint=error.hint) from error


def _concerns(fault: str, keys: Set[str], chosen: Sequence[str]) -> bool:
    """Returns whether a fault is about one of some settings.

    Args:
        fault: Text of the fault, which begins with a key.
        keys: Keys of the settings, as they are and shortened for messages.
        chosen: Kind and name of the components that are among the settings.
    """
    key = fault.partition(":")[0]
    above = itertools.accumulate(key.split("."), "{}.{}".format)
    return any(one in keys for one in above) or any(one in fault for one in chosen)


def read_settings_file(path: Path | None) -> SettingsFile:
    """Reads a file of settings.

    Args:
        path: TOML file with the keys of `--set`; None for no file.

    Raises:
        ConfigError: It cannot be read, or is not TOML.
    """
    if path is None:
        return SettingsFile()
    settings: dict[str, Any] = {}
    faults = []
    for key, value in flattened(read_toml(path)):
        if key in settings:
            faults.append(f"{shortened(key)}: set twice ({path})")
        settings[key] = none_as_text(value)
    return SettingsFile(path, settings, tuple(faults))


def read_toml(path: Path) -> dict[str, Any]:
    """Returns the table of a TOML file of the user.

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
        return parse_toml(content.decode("utf-8-sig").replace("\r\n", "\n"))
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
            bare = key.partition(".")[0] not in SPECS or key in SPECS
            written = key if bare else to_toml(key)
            source = resolved.sources.get(key, "default")
            lines.append(f"{written} = {to_toml(settings[key])}  # {source}")
    return "\n".join(lines) + "\n"
