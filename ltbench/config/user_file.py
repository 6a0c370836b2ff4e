"""Configuration file of a user: the description of a cluster, for all grids.

```toml
[executor]
name = "some_queue"
partition = "gpu"
time = "2:00:00"
```

It changes where runs are executed, and no run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.text import to_toml
from ltbench.config.toml_document import Lines, line_of, read_document
from ltbench.errors import ConfigError, shortened, suggestion
from ltbench.io.paths import with_home
from ltbench.io.reading import read_regular

VARIABLE = "LTBENCH_CONFIG"
TABLES = ("executor",)
_MAX_FILE_BYTES = 1_000_000


def user_file() -> Path:
    """Returns the path of the file: `LTBENCH_CONFIG`, or that in the user's configuration."""
    from platformdirs import user_config_dir

    chosen = os.environ.get(VARIABLE)
    return with_home(chosen) if chosen else Path(user_config_dir("ltbench")) / "config.toml"


@dataclass(frozen=True)
class UserConfig:
    """Content of a configuration file.

    Args:
        path: The file, which may be missing.
        text: Its text.
        executor: Name and options of the executor, by key; "name" is its name.
        lines: Lines of its keys.
    """

    path: Path
    text: str = ""
    executor: Mapping[str, Any] = field(default_factory=dict)
    lines: Lines = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None = None) -> UserConfig:
        """Reads the file; one that is missing is empty.

        Args:
            path: The file; None for the user's.

        Raises:
            ConfigError: It cannot be read, is not TOML, or has unknown keys.
        """
        path = path or user_file()
        try:
            text = read_regular(path, _MAX_FILE_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
        except FileNotFoundError:
            return cls(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{path} cannot be read: {error}", hint="repair or remove the file"
            ) from error
        return cls.parsed(path, text)

    @classmethod
    def parsed(cls, path: Path, text: str) -> UserConfig:
        """Returns the content of a text.

        Raises:
            ConfigError: It is not TOML, or has unknown keys.
        """
        try:
            document = read_document(text)
        except ValueError as error:
            raise ConfigError(
                f"{path} is not TOML: {error}", hint="see `ltbench docs cluster`"
            ) from error
        for key in document.table:
            if key not in TABLES:
                raise ConfigError(
                    f"{path}: there is no key '{shortened(key)}'", hint=suggestion(key, TABLES)
                )
        executor = document.table.get("executor", {})
        if not isinstance(executor, dict):
            raise ConfigError(
                f"{path}: executor: expected a table", hint='write [executor] and name = "NAME"'
            )
        return cls(path, text, executor, document.lines)

    def with_executor(self, key: str, value: Any) -> UserConfig:
        """Returns the content with another value of a key; the other lines stay as they are.

        Args:
            key: Key of the table `executor`.
            value: Value, as TOML has it.

        Raises:
            ConfigError: The key has a value of several lines, which must be changed by hand.
        """
        lines = self.text.splitlines()
        setting = f"{key} = {to_toml(value)}"
        found = self.lines.get(("executor", key))
        header = line_of({k: v for k, v in self.lines.items() if k == ("executor",)}, "executor")
        if found:
            lines[found[0] - 1] = setting
        elif header is not None:
            lines.insert(header, setting)
        else:
            lines += [*([""] if lines else []), "[executor]", setting]
        line = found[0] if found else header or 1
        return self._changed(lines, {**self.executor, key: value}, key, line)

    def without_executor(self, key: str) -> UserConfig:
        """Returns the content without a key; the other lines stay as they are.

        Args:
            key: Key of the table `executor`.

        Raises:
            ConfigError: There is no such key, or it has a value of several lines, which must be
                removed by hand.
        """
        if key not in self.executor:
            raise ConfigError(
                f"{self.path}: there is no key 'executor.{shortened(key)}'",
                hint=suggestion(key, self.executor) if self.executor else "it has no keys",
            )
        line = self.lines.get(("executor", key), [1])[0]
        lines = self.text.splitlines()
        del lines[line - 1]
        left = {name: value for name, value in self.executor.items() if name != key}
        return self._changed(lines, left, key, line)

    def _changed(
        self, lines: Sequence[str], expected: Mapping[str, Any], key: str, line: int
    ) -> UserConfig:
        """Returns the content of other lines.

        Raises:
            ConfigError: They are not what is expected.
        """
        try:
            changed = self.parsed(self.path, "".join(f"{one}\n" for one in lines))
            if changed.executor == expected:
                return changed
        except ConfigError:
            pass
        raise ConfigError(
            f"{self.path}: executor.{key} cannot be changed in its line",
            hint=f"edit {self.path}, line {line}",
        )
