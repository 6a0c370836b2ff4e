"""`ltbench data new` from the command line."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import trees
from tests.conftest import Ended

Cli = Callable[..., Ended]


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    root = trees.class_folders(tmp_path, {"pets": {"ant": 25, "bee": 6, "owl": 1}}) / "pets"
    (root / "ant/broken.jpg").write_bytes(b"no image")
    (root / "bee/copy.jpg").write_bytes((root / "bee/0.jpg").read_bytes())
    return root


def test_a_folder_becomes_a_list_and_a_run(cli: Cli, pets: Path) -> None:
    ended = cli("data", "new", "pets")
    assert ended.code == 0, ended.err
    for said in (
        "pets: 3 classes",
        "few (2)",
        "left out, cannot be used: 1: ant/broken.jpg cannot be decoded",
        "left out, the same bytes as another image: 1: bee/copy.jpg = bee/0.jpg",
        "classes without test images, which are in no accuracy: 1 of 3: owl",
        "wrote pets.csv: 32 images",
        "next: ltbench run --dataset csv --set dataset.path=pets.csv",
    ):
        assert said in ended.out
    with Path("pets.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 32
    assert rows[0]["path"] == "pets/ant/0.jpg"
    looked = cli("data", "verify", "csv", "--set", "dataset.path=pets.csv")
    assert looked.code == 0, looked.err
    assert "classes without test images, which are in no accuracy: 1 of 3: owl" in looked.out
    assert "losses balanced_softmax" in looked.out
    quick = ("--method", "classifier_only", "--epochs", "1", "--workers", "0", "--json")
    run = cli("run", "--dataset", "csv", "--set", "dataset.path=pets.csv", *quick)
    assert run.code == 0, run.err
    untested, prior = run.json["warnings"]
    assert untested == "classes without test images, which are in no accuracy: 1 of 3: owl"
    assert prior.startswith("loss logit_adjusted expects equally frequent classes, but the test ")


def test_a_list_is_replaced_only_when_that_is_asked_for(cli: Cli, pets: Path) -> None:
    Path("mine.csv").write_text("precious")
    ended = cli("data", "new", "pets", "--out", "mine.csv")
    assert ended.code == 2
    assert "mine.csv exists" in ended.err
    assert Path("mine.csv").read_text() == "precious"
    first = cli("data", "new", "pets", "--out", "mine.csv", "--overwrite", "--json")
    assert first.code == 0, first.err
    again = Path("mine.csv").read_text()
    assert cli("data", "new", "pets", "--out", "mine.csv", "--overwrite", "--json") == first
    assert Path("mine.csv").read_text() == again
    assert cli("data", "new", "pets", "--data-seed", "1", "--out", "other.csv").code == 0
    assert Path("other.csv").read_text() != again


def test_the_numbers_as_json(cli: Cli, pets: Path) -> None:
    found = cli("data", "new", "pets", "--test", "5", "--val", "0.1", "--json").json
    assert found["classes"] == [
        {"name": "ant", "train": 17, "val": 3, "test": 5},
        {"name": "bee", "train": 1, "val": 0, "test": 5},
        {"name": "owl", "train": 1, "val": 0, "test": 0},
    ]
    assert found["splits"] == {"train": 19, "val": 3, "test": 10}
    assert found["drawn"] == ["val", "test"]
    assert found["duplicates"] == {"bee/copy.jpg": "bee/0.jpg"}
    assert found["unreadable"].keys() == {"ant/broken.jpg"}
    assert found["similar"] is None
    assert found["next"].startswith("ltbench run --dataset csv --set dataset.path=pets.csv")


def test_a_list_elsewhere_names_the_root(cli: Cli, pets: Path, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    found = cli("data", "new", str(pets), "--out", "lists/a.csv", "--json").json
    assert found["next"].endswith(f"--set dataset.path=lists/a.csv --set dataset.root={pets}")
    assert Path("lists/a.csv").read_text().splitlines()[1].startswith("ant/0.jpg,ant,")
    assert cli("data", "verify", *found["next"].split()[3:]).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nowhere",), 2, "nowhere does not exist"),
        (("pets/ant",), 4, "no class folders: its images are in no class"),
        (("pets", "--test", "0"), 2, "--test: expected a number of images or a share"),
        (("pets", "--val", "1.5"), 2, "--val: expected a number of images or a share"),
        (("pets", "--test", "nan"), 2, "--test: expected a number of images or a share"),
        (("pets", "--out", "pets"), 2, "exists but is not a file"),
        (("pets", "--out", "no/a.csv"), 2, "is not a directory"),
    ],
)
def test_wrong_arguments(
    cli: Cli, pets: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended = cli("data", "new", *arguments)
    assert ended.code == code
    assert said in ended.err
    assert not Path("pets.csv").exists()


def test_similar_needs_a_package(cli: Cli, pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagehash", None)
    ended = cli("data", "new", "pets", "--similar")
    assert ended.code == 2
    assert 'pip install "ltbench[imagehash]"' in ended.err


@pytest.mark.parametrize("command", [("new", "pets"), ("verify", "digits_lt")])
def test_seeds_are_those_of_a_run(cli: Cli, pets: Path, command: tuple[str, str]) -> None:
    ended = cli("data", *command, "--data-seed", str(2**64))
    assert (ended.code, ended.out) == (2, "")
    assert "--data-seed" in ended.err


def test_a_folder_with_one_image_a_class_has_no_test_images(cli: Cli, tmp_path: Path) -> None:
    trees.class_folders(tmp_path, {"pets": {"ant": 1, "bee": 1}})
    ended = cli("data", "new", "pets")
    assert ended.code == 4
    assert "pets has no test images" in ended.err
    assert not Path("pets.csv").exists()


def test_a_link_to_a_device_is_told_from_one_that_leads_nowhere(cli: Cli, pets: Path) -> None:
    (pets / "ant/device.jpg").symlink_to("/dev/null")
    (pets / "ant/nothing.jpg").symlink_to("gone.jpg")
    unreadable = cli("data", "new", "pets", "--json").json["unreadable"]
    assert unreadable["ant/device.jpg"] == "is a link to something that is no file"
    assert unreadable["ant/nothing.jpg"] == "is a link to a missing file"
