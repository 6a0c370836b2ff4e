from __future__ import annotations

import hashlib
import resource
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ltbench.scaffold
from ltbench.errors import ConfigError, RunError
from ltbench.scaffold.licences import LICENCES
from ltbench.scaffold.package import NewPackage
from ltbench.specs import KINDS
from tests.scaffold.packages import Fresh

TEMPLATES = Path(ltbench.scaffold.__file__).with_name("templates")
APACHE = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
SMALL = NewPackage(name="my_loss", kind="loss", licence="mit", author="A. Author")


def test_every_kind_has_templates_and_nothing_else_does() -> None:
    folders = {path.name for path in TEMPLATES.iterdir()}
    assert folders == {"common", "licences", *KINDS}
    assert {path.suffix for path in TEMPLATES.rglob("*") if path.is_file()} == {".jinja"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_is_complete(kind: str, fresh: Fresh) -> None:
    project, name = fresh.projects[kind], f"fresh_{kind}"
    assert project.name == f"fresh-{kind}"
    found = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert found >= {
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        ".gitignore",
        ".github/workflows/ci.yml",
        f"src/{name}/__init__.py",
        f"src/{name}/py.typed",
        f"tests/test_{name}.py",
    }
    for path in project.rglob("*"):
        text = path.read_text() if path.is_file() else ""
        braces = text.replace("${{ matrix.python }}", "")
        assert not any(left in braces for left in ("{{", "{%", "}}\n")), path
        assert not text.startswith("\n"), path
        assert not text.endswith("\n\n"), path


def test_the_metadata_are_what_pip_reads(fresh: Fresh) -> None:
    project = tomllib.loads((fresh.projects["head"] / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["ltbench"] == {"fresh_head": "fresh_head"}
    assert project["dependencies"] == ["ltbench>=0.1"]
    assert project["license"] == "MIT"


def test_an_author_may_have_any_printable_name() -> None:
    author = 'Zoë "Z" \\ {{ name }}'
    package = NewPackage(name="my_loss", kind="loss", licence="mit", author=author)
    files = {str(path): text for path, text in package.render().items()}
    assert tomllib.loads(files["pyproject.toml"])["project"]["authors"] == [{"name": author}]
    assert author in files["LICENSE"]


@pytest.mark.parametrize("licence", LICENCES)
def test_licences_are_whole_and_name_year_and_author(licence: str) -> None:
    package = NewPackage(name="my_loss", kind="loss", licence=licence, author="A. Author")
    files = {str(path): text for path, text in package.render().items()}
    year = datetime.now(UTC).year
    (line,) = [line for line in files["LICENSE"].splitlines() if str(year) in line]
    assert "Copyright" in line
    assert line.endswith("A. Author")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["license"] == LICENCES[licence]
    if licence == "apache-2.0":
        published = files["LICENSE"].replace(
            f"{year} A. Author", "[yyyy] [name of copyright owner]"
        )
        assert hashlib.sha256(published.encode()).hexdigest() == APACHE


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "my-loss").mkdir()
    assert SMALL.write(tmp_path) == tmp_path / "my-loss"
    assert [path.name for path in tmp_path.iterdir()] == ["my-loss"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert (SMALL.write(tmp_path / "new" / "folder") / "README.md").exists()


@pytest.mark.parametrize("there", ["file", "folder with a file", "link"])
def test_what_is_there_is_kept(there: str, tmp_path: Path) -> None:
    target = tmp_path / "my-loss"
    if there == "file":
        target.write_text("mine")
    elif there == "link":
        target.symlink_to(tmp_path / "nowhere")
    else:
        target.mkdir()
        (target / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match="exists but is not an empty folder"):
        SMALL.write(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(RunError, match="cannot be written: File too large"):
            SMALL.write(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_a_parent_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written: Not a directory"):
        SMALL.write(tmp_path / "file")


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert SMALL.write(tmp_path).stat().st_mode == plain.stat().st_mode
