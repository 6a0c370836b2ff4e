"""`ltbench errors` on stored runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench.registry.registry import Registry
from tests.conftest import Ended
from tests.runs_on_images import IMAGES, LABELS, failing_run

Cli = Callable[..., Ended]


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> tuple[Path, Path]:
    return failing_run(tmp_path_factory.mktemp("failing"), registry)


def test_the_answer_comes_first(cli: Cli, failing: tuple[Path, Path]) -> None:
    ended = cli("errors", str(failing[1]))
    assert ended.code == 0, ended.err
    lines = ended.out.strip().splitlines()
    assert lines[0] == "lift_plus on set with clip_tiny, seed 0 (tte, test split)"
    assert lines[1].startswith("- The 2 few-shot classes have an accuracy of 0.0 %")
    assert "4 of their 4 predictions are wrong, of which 100 % are another few-shot" in ended.out
    assert re.search(r"class 0 +few +4 +0 of 2 +0 \(0 to 84\) +class 1 \(few\) +2", ended.out)
    assert "ltbench eval" in lines[-1]
    assert "--split train" in lines[-1]


def test_json_has_every_row(cli: Cli, failing: tuple[Path, Path]) -> None:
    found = cli("errors", str(failing[1]), "--json").json
    assert found["rare_group"] == "few"
    assert [row["shot_group"] for row in found["groups"]] == ["overall", "many", "medium", "few"]
    assert found["groups"][1]["accuracy"] is None
    assert sorted(row["image"] for row in found["mistakes"]) == IMAGES
    assert found["confusions"][0]["count"] == 2
    assert found["findings"][0].startswith("The 2 few-shot")


def test_a_page_with_pictures(cli: Cli, failing: tuple[Path, Path]) -> None:
    ended = cli("errors", str(failing[1]), "--html", "new/page.html", "--json")
    assert ended.code == 0, ended.err
    assert ended.err.endswith("--html new/page.html: 4 pictures\n")
    assert ended.json["notes"]
    page = Path("new/page.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/jpeg;base64,') == 4
    assert "is class 0 (few)" in page
    again = cli("errors", str(failing[1]), "--html", "new/page.html")
    assert (again.code, "new/page.html exists" in again.err) == (2, True)
    assert Path("new/page.html").read_text(encoding="utf-8") == page


def test_without_the_data_everything_but_the_pictures_works(
    cli: Cli, tmp_path: Path, registry: Registry
) -> None:
    tree, run = failing_run(tmp_path, registry)
    moved = tree.rename(tmp_path / "moved")
    ended = cli("errors", str(run), "--html", "gone.html")
    assert ended.code == 0, ended.err
    assert ended.err == "--html gone.html: 0 pictures\n"
    (note,) = re.findall(r"note There are no pictures: (.*)\n", ended.out)
    assert note.endswith("set does not exist.")
    assert "data:image/jpeg" not in Path("gone.html").read_text(encoding="utf-8")
    found = cli("errors", str(run), "--html", "found.html", "--set", f"dataset.path={moved}")
    assert found.err.endswith("--html found.html: 4 pictures\n")
    (moved / IMAGES[0]).write_bytes((moved / IMAGES[2]).read_bytes())
    changed = cli("errors", str(run), "--html", "changed.html", "--set", f"dataset.path={moved}")
    assert "There are no pictures: the data set 'folder' is not the one" in changed.out


def test_names_come_from_the_data_where_an_early_version_stored_none(
    cli: Cli, tmp_path: Path, registry: Registry
) -> None:
    tree, run = failing_run(tmp_path, registry, named=False)
    found = cli("errors", str(run), "--json").json
    assert sorted(row["image"] for row in found["mistakes"]) == IMAGES
    shutil.rmtree(tree)
    gone = cli("errors", str(run), "--json").json
    assert [row["image"] for row in gone["mistakes"]] == [None] * 4
    assert any(note.startswith("The images have no names: ") for note in gone["notes"])


def test_data_with_other_labels_have_no_pictures(
    cli: Cli, tmp_path: Path, registry: Registry
) -> None:
    _, run = failing_run(tmp_path, registry, labels=1 - LABELS)
    ended = cli("errors", str(run), "--html", "page.html")
    assert "There are no pictures: the data set has other images than the predict" in ended.out


def test_faults_are_one_clear_error(cli: Cli, failing: tuple[Path, Path]) -> None:
    run = str(failing[1])
    for arguments, code, said in (
        (("0123456789ab",), 2, "neither a directory nor the beginning of the hash"),
        ((str(failing[0]),), 4, "is not a run directory"),
        ((run, "--inference", "flip"), 4, "has no predictions with inference 'flip'"),
        ((run, "--set", "train.lr=1"), 2, "only the place of the data can be set"),
        ((run, "--html", "."), 2, "exists but is not a file"),
    ):
        ended = cli("errors", *arguments)
        assert ended.code == code, ended.err
        assert said in ended.err
        assert ended.out == ""


def test_a_pattern_of_several_runs_is_an_error_with_advice(
    cli: Cli, failing: tuple[Path, Path]
) -> None:
    ended = cli("errors", str(failing[1]), str(failing[1]))
    assert ended.code == 2
    assert "unexpected extra argument" in ended.err
    assert "give one run, such as `ltbench errors 199f`" in " ".join(ended.err.split())
