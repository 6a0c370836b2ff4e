"""What is built for a package index, and what everything is installed from."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import ltbench
from tests.bounds import lower_bound, requirements

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def sdist(dist: Path) -> Iterator[tarfile.TarFile]:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        yield archive


def packed(sdist: tarfile.TarFile) -> set[str]:
    """The files of the sdist, as paths in the repository."""
    return {name.partition("/")[2] for name in sdist.getnames()}


def locked() -> list[Requirement]:
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


@pytest.fixture(scope="module")
def metadata(sdist: tarfile.TarFile) -> Message:
    file = sdist.extractfile(f"ltbench-{ltbench.__version__}/PKG-INFO")
    assert file is not None
    return message_from_bytes(file.read())


def test_the_metadata_says_what_an_index_shows(metadata: Message) -> None:
    assert metadata["Author"] == "ltbench developers"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Version"] == ltbench.__version__
    assert "long-tail recognition" in metadata["Keywords"]
    classifiers = metadata.get_all("Classifier", [])
    assert "Typing :: Typed" in classifiers
    assert "Programming Language :: Python :: 3.11" in classifiers


def test_no_link_of_the_long_description_leads_into_the_repository(metadata: Message) -> None:
    text = str(metadata.get_payload(decode=True), "utf-8")
    links = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text)
    assert links
    assert all(link.startswith(("https://", "#")) for link in links), links
    assert "](docs/figures" not in text
    assert "lift_plus              " in text, "the leaderboard is shown as text"
    # What was a link is now a path, and only that where the text was the path already.
    assert "`docs/data.md`" in text
    assert "docs/data.md (`docs/data.md`)" not in text


def test_paths_of_the_long_description_are_in_the_sdist(sdist: tarfile.TarFile) -> None:
    links = re.findall(r"\]\((?!\w+:|#)([^)\s]+)\)", (ROOT / "README.md").read_text("utf-8"))
    files = packed(sdist)
    missing = [
        link
        for link in links
        if link not in files and not any(file.startswith(f"{link}/") for file in files)
    ]
    assert not missing


def test_the_sdist_has_no_blobs_but_those_of_the_package(
    sdist: tarfile.TarFile, dist: Path
) -> None:
    large = {file.name.partition("/")[2] for file in sdist if file.size > MEGABYTE / 5}
    assert {name.split("/")[0] for name in large} == {"plugins"}
    assert not any(name.startswith("tests/") for name in packed(sdist))
    assert {"LICENSE", "CITATION.cff", "requirements.lock", "pyproject.toml"} <= packed(sdist)
    (path,) = dist.glob("*.tar.gz")
    assert path.stat().st_size < 8 * MEGABYTE


def test_the_grids_are_in_the_wheel(dist: Path) -> None:
    (path,) = dist.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
    grids = (ROOT / "plugins").rglob("grids/*/*.toml")
    expected = {file.relative_to(ROOT / "plugins").as_posix() for file in grids}
    assert expected
    assert expected <= names


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == ltbench.__version__
    assert citation["license"] == "MIT"
    assert citation["authors"] == [{"name": "ltbench developers"}]
    assert all(
        reference["type"] and reference["title"] and reference["authors"]
        for reference in citation["references"]
    )


def test_the_lock_has_a_version_in_its_range_for_every_dependency() -> None:
    versions: dict[str, list[Requirement]] = {}
    for requirement in locked():
        versions.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    for requirement in requirements():
        found = versions.get(canonicalize_name(requirement.name))
        assert found, f"{requirement.name} is not in {LOCK.name}: run `make lock`"
        for one in found:
            (pin,) = one.specifier
            assert pin.operator == "=="
            assert requirement.specifier.contains(pin.version), f"{one}: expected {requirement}"


def test_the_lock_names_no_index_and_no_file() -> None:
    assert not [one for one in locked() if one.url]
    assert not re.search(r"^\s*-|://", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_dependency_has_a_lower_bound_that_is_a_version() -> None:
    bounds = [Version(lower_bound(one)) for one in requirements()]
    assert len(bounds) > 20
    with pytest.raises(ValueError, match="expected one lower bound, got 0"):
        lower_bound(Requirement("numpy<3"))


def test_what_builds_the_project_is_at_hand_in_the_development_environment() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = set(project["build-system"]["requires"])
    assert needed <= set(project["project"]["optional-dependencies"]["dev"])
