"""New packages of every kind, installed as pip would."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ltbench.scaffold.package import NewPackage
from ltbench.specs import KINDS


@dataclass(frozen=True)
class Fresh:
    """Packages just written, one of each kind.

    Args:
        projects: Folder of each, by kind.
        site: Folder that they are installed in.
    """

    projects: dict[str, Path]
    site: Path

    @classmethod
    def write(cls, folder: Path) -> Fresh:
        """Writes and installs them."""
        projects = {}
        for kind in KINDS:
            package = NewPackage(name=named(kind), kind=kind, licence="mit", author="A. Author")
            projects[kind] = package.write(folder / "projects")
            install(projects[kind], folder / "site")
        return cls(projects, folder / "site")


def named(kind: str) -> str:
    """What the package of a kind is called here."""
    return f"fresh_{kind}"


def install(project: Path, site: Path) -> None:
    """Puts modules and metadata of a project into a folder."""
    about = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    shutil.copytree(project / "src", site, dirs_exist_ok=True)
    info = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    )
    points = (f"{name} = {module}\n" for name, module in about["entry-points"]["ltbench"].items())
    (info / "entry_points.txt").write_text("[ltbench]\n" + "".join(points))
