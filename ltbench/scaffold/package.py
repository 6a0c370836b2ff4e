"""Package of a new plugin, rendered from templates.

`templates/common` has the files of all packages, `templates/KIND` those of a kind. If both have a
file at the same place, the kind's is used, which may extend the common one. In paths, `package`
stands for the plugin's name.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from jinja2 import Environment, PackageLoader, StrictUndefined

from ltbench import __version__
from ltbench.errors import ConfigError, RunError
from ltbench.io.files import create_file, partial_path
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
        name: Name of the component, the module and the entry point, in snake_case.
        kind: Kind of the component.
        licence: Key of `LICENCES`.
        author: Holder of the copyright, in one line.
    """

    name: str
    kind: str
    licence: str
    author: str

    @property
    def folder(self) -> str:
        """Name of the package's folder and distribution."""
        return as_distribution(self.name)

    def render(self) -> dict[PurePosixPath, str]:
        """Returns the content of each file by its path below the package's folder."""
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
        """Writes the package into a folder of its name, completely or not at all.

        Args:
            parent: Parent of the new folder; created if missing.

        Returns:
            Folder of the package.

        Raises:
            ConfigError: The folder exists and is not empty.
            RunError: The folder cannot be written; no files remain.
        """
        target = parent / self.folder
        if target.is_symlink() or (target.exists() and not _is_empty_folder(target)):
            raise ConfigError(
                f"{target} exists but is not an empty folder",
                hint="choose another name or another --dir; nothing was written",
            )
        files = self.render()
        partial = partial_path(target)
        try:
            partial.mkdir(parents=True)
            for path, content in files.items():
                (partial / path).parent.mkdir(parents=True, exist_ok=True)
                with create_file(partial / path) as file:
                    file.write(content.encode())
            partial.rename(target)  # takes the place of an empty folder
        except OSError as error:
            raise RunError(
                f"{target} cannot be written: {error.strerror or error}",
                hint="choose another --dir; nothing was written",
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return target

    def _facts(self) -> dict[str, object]:
        """Returns the variables of the templates."""
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
    # A JSON string is also a TOML string, except for one unprintable character.
    environment.filters["toml"] = lambda text: json.dumps(text, ensure_ascii=False)
    return environment


def _is_in(part: str) -> Callable[[str], bool]:
    return lambda template: template.startswith(f"{part}/")


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
