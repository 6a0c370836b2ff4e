from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image
from timm.data.imagenet_info import ImageNetInfo

from ltbench.data import read_list
from ltbench.data import verify as verifying
from ltbench_plugins.datasets.imagenet_lt import LISTED
from tests import trees
from tests.conftest import Ended
from tests.trees import OWN

Cli = Callable[..., Ended]
WNIDS = ImageNetInfo().label_names()
SPLITS = Path(__file__).parents[3] / "shared/splits"
RUN = ("run", "--epochs", "1", "--workers", "0", "--json", "--inference", "center")


def prepared(cli: Cli, name: str, download: trees.Download) -> Ended:
    return cli(
        *("data", "prepare", name, "--source", str(download.images)),
        *("--lists", str(download.lists), *OWN),
    )


def test_imagenet_lt_from_a_flat_download_to_a_result(cli: Cli, tmp_path: Path) -> None:
    classes = WNIDS[:50]
    counts = [max(1, 12 - label // 2) for label in range(50)]
    download = trees.ilsvrc(tmp_path, classes, counts, val=1, test=1, flat=True)
    done = prepared(cli, "imagenet_lt", download)
    assert done.code == 0, done.err
    assert "has no class folders" in done.out
    assert "50 links" in done.out
    looked = cli("data", "verify", "imagenet_lt", "--deep", *OWN)
    assert looked.code == 0, looked.err
    assert "ok" in looked.out
    told = cli("data", "verify", "imagenet_lt", "--json", *OWN).json
    assert told["classes"] == 50
    assert told["splits"]["train"] == {
        "images": sum(counts),
        "classes": 50,
        "smallest": 1,
        "largest": 12,
    }
    assert told["shot_groups"] == {"many": 0, "medium": 0, "few": 50}
    result = cli(*RUN, "--dataset", "imagenet_lt", "--backbone", "clip_tiny", *OWN)
    assert result.code == 0, result.err
    assert result.json["classes"]["train_images"] == counts
    assert result.json["classes"]["names"][:2] == ["tench", "goldfish"]


def test_places_lt_from_the_download_to_a_result(cli: Cli, tmp_path: Path) -> None:
    done = prepared(cli, "places_lt", trees.places365(tmp_path))
    assert done.code == 0, done.err
    assert cli("data", "verify", "places_lt", "--deep", *OWN).code == 0
    result = cli(*RUN, "--dataset", "places_lt", *OWN)
    assert result.code == 0, result.err
    assert result.json["classes"]["names"] == ["airfield", "airplane_cabin", "airport_terminal"]
    again = prepared(cli, "places_lt", trees.places365(tmp_path / "again"))
    assert again.code == 0, again.err  # links may be moved to another download


def test_the_download_has_to_be_fetched_by_hand(cli: Cli, tmp_path: Path) -> None:
    for name, said in (("imagenet_lt", "image-net.org"), ("places_lt", "easyformat")):
        lists = trees.ilsvrc(tmp_path / name).lists
        ended = cli("data", "prepare", name, "--lists", str(lists), *OWN)
        assert ended.code == 4
        assert said in ended.err
        assert (tmp_path / "data" / name / "train.txt").is_file()


@pytest.mark.parametrize("level", ["above", "below", "two below"])
def test_a_wrong_level_of_the_source_is_told(cli: Cli, tmp_path: Path, level: str) -> None:
    download = trees.places365(tmp_path / "places")
    wrong = {
        "above": download.images.parent,
        "below": download.images / "train",
        "two below": download.images / "train" / "airfield",
    }[level]
    ended = prepared(cli, "places_lt", trees.Download(wrong, download.lists))
    assert ended.code == 4
    assert "wrong level" in ended.err
    assert f"--source {download.images}" in ended.err


def test_an_unsorted_val_folder_is_told(cli: Cli, tmp_path: Path) -> None:
    download = trees.ilsvrc(tmp_path, flat=True)
    folder = tmp_path / "data" / "imagenet_lt"
    shutil.copytree(download.lists, folder)
    for name in ("train", "val"):
        (folder / name).symlink_to(download.images / name)
    ended = cli("data", "verify", "imagenet_lt", *OWN)
    assert ended.code == 4
    assert "val has no class folders" in ended.err
    assert "has no class folders" in cli(*RUN, "--dataset", "imagenet_lt", *OWN).err


def test_other_downloads_of_places_are_told(cli: Cli, tmp_path: Path) -> None:
    download = trees.places365(tmp_path)
    images = download.images
    (images / "train").rename(images / "letters")
    (images / "train" / "a").parent.mkdir()
    (images / "letters").rename(images / "train" / "a")
    ended = prepared(cli, "places_lt", download)
    assert ended.code == 4
    assert "first letters" in ended.err
    (images / "train").rename(images / "data_256")
    assert "first letters" in prepared(cli, "places_lt", download).err
    (images / "data_256").rename(images / "data_large_standard")
    ended = prepared(cli, "places_lt", download)
    assert ended.code == 4
    assert "high-resolution" in ended.err


def test_places_images_of_the_wrong_size_are_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ltbench_plugins.datasets.parts import published

    monkeypatch.setattr(published.PublishedList, "fault", lambda self, content: "")
    download = trees.places365(tmp_path, side=300)
    ended = cli(
        *("data", "prepare", "places_lt", "--source", str(download.images)),
        *("--lists", str(download.lists)),
    )
    assert ended.code == 4
    assert "300 x 300 pixels: this is the high-resolution" in ended.err


def test_a_truncated_list_is_told(cli: Cli, tmp_path: Path) -> None:
    download = trees.places365(tmp_path)
    ended = cli("data", "prepare", "places_lt", "--lists", str(download.lists))
    assert ended.code == 4
    assert "it is truncated: expected 62,500 lines, got 13" in ended.err
    assert not (tmp_path / "data" / "places_lt" / "train.txt").exists()
    shutil.copytree(download.lists, tmp_path / "data" / "places_lt", dirs_exist_ok=True)
    ended = cli("data", "verify", "places_lt", "--lists-only")
    assert ended.code == 4
    assert "it is truncated: expected 62,500 lines, got 13" in ended.err
    assert "dataset.lists=own" in ended.err


def test_bad_files_are_listed(cli: Cli, tmp_path: Path) -> None:
    folder = trees.imagenet_lt(tmp_path / "data")
    first, second, third = sorted((folder / "train" / trees.CLASSES[0]).iterdir())[:3]
    first.write_bytes(b"")
    second.write_bytes(b"<html><body>404 not found</body></html>")
    third.unlink()
    ended = cli("data", "verify", "imagenet_lt", *OWN)
    assert ended.code == 4
    assert "2 of 39 images are bad" in ended.err
    ended = cli("data", "verify", "imagenet_lt", "--deep", "--bad-files", "bad.csv", *OWN)
    assert ended.code == 4
    assert "3 of 39 images are bad" in ended.err
    with (tmp_path / "bad.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    faults = {Path(row["name"]).name: row["fault"] for row in rows}
    assert "it is empty" in faults[first.name]
    assert "it is a web page" in faults[second.name]
    assert "does not exist" in faults[third.name]


def test_a_file_that_is_no_file_gets_no_list(cli: Cli, tmp_path: Path) -> None:
    trees.imagenet_lt(tmp_path / "data")
    for place in ("", "data", "/dev/null", "none/bad.csv"):
        ended = cli("data", "verify", "imagenet_lt", "--bad-files", place, *OWN)
        assert ended.code == 2
        assert "--bad-files" in ended.err
    assert Path("/dev/null").is_char_device()


def test_the_list_of_an_earlier_look_goes(cli: Cli, tmp_path: Path) -> None:
    folder = trees.imagenet_lt(tmp_path / "data")
    first = next(iter((folder / "train" / trees.CLASSES[0]).iterdir()))
    whole = first.read_bytes()
    first.write_bytes(b"")
    assert cli("data", "verify", "imagenet_lt", *OWN).code == 4
    assert (tmp_path / "imagenet_lt-bad-files.csv").exists()
    first.write_bytes(whole)
    assert cli("data", "verify", "imagenet_lt", *OWN).code == 0
    assert not (tmp_path / "imagenet_lt-bad-files.csv").exists()


def test_lists_of_ones_own_are_looked_at_before_others_go(cli: Cli, tmp_path: Path) -> None:
    download = trees.places365(tmp_path)
    assert prepared(cli, "places_lt", download).code == 0
    kept = (tmp_path / "data/places_lt/train.txt").read_bytes()
    for content, said in (
        ("<!DOCTYPE html><html>log in</html>", "it is a web page"),
        ("", "is empty"),
        ("train/airfield/1.jpg\n", "expected 'path label'"),
    ):
        (download.lists / "train.txt").write_text(content)
        ended = prepared(cli, "places_lt", download)
        assert ended.code == 4
        assert said in ended.err
        assert (tmp_path / "data/places_lt/train.txt").read_bytes() == kept


def test_a_class_without_training_images_is_told(cli: Cli, tmp_path: Path) -> None:
    download = trees.places365(tmp_path)
    test = download.lists / "test.txt"
    test.write_text(test.read_text() + "val/kitchen/1.jpg 7\n")
    ended = prepared(cli, "places_lt", download)
    assert ended.code == 4
    assert "class '3' has no training images" in ended.err


def test_one_preparation_at_a_time(cli: Cli, tmp_path: Path) -> None:
    download = trees.places365(tmp_path)
    (tmp_path / "data").mkdir()
    with FileLock(tmp_path / "data" / ".places_lt.lock"):
        ended = prepared(cli, "places_lt", download)
    assert ended.code == 1
    assert "another process is preparing" in ended.err
    assert prepared(cli, "places_lt", download).code == 0


def test_a_second_preparation_keeps_the_first(cli: Cli, tmp_path: Path) -> None:
    download = trees.ilsvrc(tmp_path, flat=True)
    assert prepared(cli, "imagenet_lt", download).code == 0
    again = prepared(cli, "imagenet_lt", download)
    assert again.code == 0, again.err
    assert "val: exists" in again.out


def test_steering_characters_do_not_reach_the_terminal(cli: Cli, tmp_path: Path) -> None:
    ended = cli("data", "prepare", "places_lt", "--lists", "lists\033[31m", *OWN)
    assert ended.code == 4
    assert "\033" not in ended.err + ended.out


@pytest.mark.full
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_look_through_can_be_ended(tmp_path: Path, how: signal.Signals) -> None:
    folder = trees.imagenet_lt(tmp_path / "data")
    large = Image.new("RGB", (3000, 3000))
    for path in (folder / "train" / trees.CLASSES[0]).iterdir():
        large.save(path, "PNG")
    command = [sys.executable, "-m", "ltbench", "data", "verify", "imagenet_lt", "--deep", *OWN]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "decoding" in process.stderr.readline()
        process.send_signal(how)
        said = process.stderr.read()  # until no process has it open any more
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said


@pytest.mark.full
def test_a_decoding_process_that_dies_is_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.imagenet_lt(tmp_path / "data")
    monkeypatch.setattr(verifying, "_decode_part", _die)
    ended = cli("data", "verify", "imagenet_lt", "--deep", *OWN)
    assert ended.code == 1
    assert "a decoding process was killed" in ended.err


def _die(split: str, indices: range) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_repeated_names_and_overlaps_are_told(cli: Cli, tmp_path: Path) -> None:
    download = trees.ilsvrc(tmp_path, ("n04008634", "n03773504"), (3, 2))  # missile, twice
    train = download.lists / "train.txt"
    train.write_text(train.read_text() + (download.lists / "val.txt").read_text())
    assert prepared(cli, "imagenet_lt", download).code == 0
    ended = cli("data", "verify", "imagenet_lt", *OWN)
    assert ended.code == 0
    assert "classes [0, 1] have the same name, 'missile'" in ended.out
    assert "train and val share 4 images" in ended.out
    result = cli(*RUN, "--dataset", "imagenet_lt", *OWN)
    assert result.code == 0, result.err
    assert any("train and val share 4 images" in warning for warning in result.json["warnings"])


def test_a_broken_image_of_places_is_told(cli: Cli, tmp_path: Path) -> None:
    download = trees.places365(tmp_path)
    broken = download.images / "train" / "airfield" / "00000002.jpg"
    broken.write_bytes(broken.read_bytes()[:500])
    assert prepared(cli, "places_lt", download).code == 0
    assert cli("data", "verify", "places_lt", *OWN).code == 0
    ended = cli("data", "verify", "places_lt", "--deep", *OWN)
    assert ended.code == 4
    assert "1 of 22 images are bad, first train/airfield/00000002.jpg" in ended.err
    ended = cli(*RUN, "--dataset", "places_lt", *OWN)
    assert ended.code == 4
    assert "00000002.jpg cannot be decoded" in ended.err
    assert "class 'airfield'" in ended.err


@pytest.mark.skipif(not SPLITS.is_dir(), reason="the published lists are not beside the project")
@pytest.mark.parametrize(("split", "rows", "each"), [("val", 20_000, 20), ("test", 50_000, 50)])
def test_the_published_lists_of_imagenet_lt(split: str, rows: int, each: int) -> None:
    listed = LISTED.lists[split]
    path = SPLITS / "imagenet_lt" / listed.file
    assert listed.fault(path.read_bytes()) == ""
    names, labels = read_list(path, LISTED.num_classes)
    assert len(names) == listed.rows == rows
    assert np.bincount(labels).tolist() == [each] * 1000
    folders = [name.split("/")[1] for name in names.to_pylist()]
    assert [folders[row] for row in np.unique(labels, return_index=True)[1]] == WNIDS


@pytest.mark.skipif(not SPLITS.is_dir(), reason="the published lists are not beside the project")
def test_the_published_lists_of_places_lt(cli: Cli) -> None:
    ended = cli("data", "verify", "places_lt", "--lists-only", "--data-root", str(SPLITS), "--json")
    assert ended.code == 0, ended.err
    told = ended.json
    assert told["shot_groups"] == {"many": 131, "medium": 163, "few": 71}
    assert [told["splits"][split]["images"] for split in ("train", "val", "test")] == [
        62_500,
        7_300,
        36_500,
    ]
    assert told["splits"]["train"]["largest"] == 4_980
    assert told["splits"]["train"]["smallest"] == 5
    assert told["overlaps"] == []


def test_a_data_set_of_the_package_needs_no_preparation(cli: Cli) -> None:
    assert "in place" in cli("data", "prepare", "digits_lt").out
    assert "10 classes" in cli("data", "verify", "digits_lt", "--deep").out


def test_list_tells_what_is_in_place(cli: Cli) -> None:
    states = {one["name"]: one["state"] for one in cli("data", "list", "--json").json["datasets"]}
    assert states["digits_lt"] == "ready"
    assert states["imagenet_lt"] == "missing"
    assert "data prepare NAME" in cli("data", "list").out


def test_wrong_options_are_told(cli: Cli) -> None:
    ended = cli("data", "verify", "imagenet_lt", "--set", "dataset.lists=mine", "--set", "seed=1")
    assert ended.code == 2
    assert "dataset.lists: expected published, own" in ended.err
    assert "seed: only dataset.* can be set here" in ended.err
    assert cli("data", "verify", "imagenet").code == 2
    assert cli("data", "verify", "digits_lt", "--deep", "--lists-only").code == 2
