"""Writes the package of a new plugin from templates.

`templates/common` has what all packages have, `templates/KIND` what is of a kind; of two files at
the same place the kind's is taken, which may extend the common one. In their paths `package` stands
for the plugin's name.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from jinja2 import Environment, PackageLoader, StrictUndefined

from ltbench import __version__
from ltbench.errors import ConfigError, RunError
from ltbench.registry import api_version as api
from ltbench.scaffold.commands import trial_command
from ltbench.scaffold.licences import LICENCES
from ltbench.scaffold.names import as_distribution
from ltbench.specs import KINDS

_COMMON = "common"
_SUFFIX = ".jinja"


@dataclass(frozen=True)
class NewPackage:
    """A package to write.

    Args:
        name: Of the component, the module and the entry point, in snake_case.
        kind: Of the component.
        licence: One of `LICENCES`.
        author: Who holds the copyright; one line.
    """

    name: str
    kind: str
    licence: str
    author: str

    @property
    def folder(self) -> str:
        """What the package's folder and distribution are called."""
        return as_distribution(self.name)

    def render(self) -> dict[PurePosixPath, str]:
        """Returns the files: path below the package's folder, and content."""
        environment = _environment()
        chosen = {}
        for part in (_COMMON, self.kind):
            for template in environment.list_templates(filter_func=_is_in(part)):
                chosen[template.removeprefix(f"{part}/")] = template
        facts = self._facts()
        return {
            self._place(path): environment.get_template(template).render(facts)
            for path, template in sorted(chosen.items())
        }

    def write(self, parent: Path) -> Path:
        """Writes the package into a folder of its name, whole or not at all.

        Args:
            parent: Where that folder will be; made where it is missing.

        Returns:
            The folder.

        Raises:
            ConfigError: Something is in its place.
            RunError: It cannot be written; nothing is left behind.
        """
        target = parent / self.folder
        if target.is_symlink() or (target.exists() and not _is_empty_folder(target)):
            raise ConfigError(
                f"{target} exists, and is no empty folder",
                hint="take another name or --dir, or move it away; nothing was written",
            )
        files = self.render()
        partial = parent / f".{self.folder}.{os.getpid()}"
        try:
            for path, content in files.items():
                file = partial / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content, encoding="utf-8", newline="\n")
            partial.rename(target)  # takes the place of an empty folder
        except OSError as error:
            raise RunError(
                f"{target} cannot be written: {error.strerror or error}",
                hint="take another --dir; nothing was written",
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return target

    def _facts(self) -> dict[str, object]:
        """Returns what templates may name."""
        spec = KINDS[self.kind]
        return {
            "name": self.name,
            "distribution": self.folder,
            "kind": self.kind,
            "plural": spec.plural,
            "spec": spec.__name__,
            "licence": self.licence,
            "spdx": LICENCES[self.licence],
            "author": self.author,
            "year": datetime.now(UTC).year,
            "command": trial_command(self.kind, self.name, Path()),
            "api": api.VERSION,
            "api_attribute": api.ATTRIBUTE,
            "ltbench": ".".join(__version__.split(".")[:2]),
        }

    def _place(self, path: str) -> PurePosixPath:
        place = path.removesuffix(_SUFFIX).replace("package/", f"{self.name}/")
        return PurePosixPath(place.replace("test_package", f"test_{self.name}"))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ltbench.scaffold", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Strings of JSON are strings of TOML, but for one character that is not printable anyhow.
    environment.filters["toml"] = lambda text: json.dumps(text, ensure_ascii=False)
    return environment


def _is_in(part: str) -> Callable[[str], bool]:
    return lambda template: template.startswith(f"{part}/")


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
