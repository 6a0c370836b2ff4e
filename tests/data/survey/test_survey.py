"""Surveys of small folders with every fault."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltbench.data.survey.image_list import list_text, prefix_from
from ltbench.data.survey.list_rules import class_labels, path_fault
from ltbench.data.survey.survey import SimilarPair, Survey, survey_folder
from ltbench.errors import ConfigError, DataError
from ltbench.progress import SILENT
from tests import trees


def survey(root: Path, **options: Any) -> Survey:
    chosen = {"test": None, "val": None, "data_seed": 0, "similar": False, **options}
    return survey_folder(root, **chosen, processes=1, progress=SILENT)


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    root = trees.class_folders(tmp_path, {"zoo": {"cat": 8, "dog": 6, "owl": 1}}) / "zoo"
    (root / "cat/empty.jpg").touch()
    (root / "cat/page.jpg").write_text("<html>")
    (root / "cat/z.jpg").write_bytes((root / "cat/0.jpg").read_bytes())
    (root / "dog/z.jpg").write_bytes((root / "cat/1.jpg").read_bytes())
    (root / "dog/a\nb.jpg").write_bytes((root / "dog/0.jpg").read_bytes())
    os.mkfifo(root / "dog/pipe.jpg")
    return root


def test_faults_and_splits(zoo: Path) -> None:
    found = survey(zoo)
    assert found.class_names == ("cat", "dog", "owl")
    assert found.unreadable.keys() == {
        *("cat/empty.jpg", "cat/page.jpg", "dog/a\nb.jpg", "dog/pipe.jpg")
    }
    assert found.repeated == {"cat/z.jpg": "cat/0.jpg", "cat/1.jpg": "", "dog/z.jpg": ""}
    assert found.counts("train").tolist() == [6, 5, 1]
    assert found.counts("test").tolist() == [1, 1, 0]
    assert found.drawn == ("test",)
    assert survey(zoo, test=2, val=0.2).counts("train").tolist() == [4, 3, 1]
    assert survey(zoo, data_seed=3).splits.tolist() != found.splits.tolist()


def test_a_list_has_the_sound_images(zoo: Path) -> None:
    lines = list_text(survey(zoo), "zoo/").splitlines()
    assert lines[0] == "path,label,split"
    assert len(lines) == 1 + 14
    assert lines[-1] == "zoo/owl/0.jpg,owl,train"
    assert prefix_from(zoo.parent, zoo) == "zoo/"
    assert prefix_from(zoo, zoo) == ""
    assert prefix_from(zoo / "cat", zoo) is None


def test_given_splits_are_kept(tmp_path: Path) -> None:
    root = trees.class_folders(
        tmp_path, {"train": {"cat": 4, "dog": 3}, "test": {"cat": 1, "dog": 2}}
    )
    (root / "train/cat/z.jpg").write_bytes((root / "test/cat/0.jpg").read_bytes())
    found = survey(root)
    assert found.drawn == ()
    assert found.repeated == {"train/cat/z.jpg": "test/cat/0.jpg"}  # test keeps it
    assert found.counts("test").tolist() == [1, 2]
    assert survey(root, val=1).counts("val").tolist() == [1, 1]
    with pytest.raises(ConfigError, match="has a test split"):
        survey(root, test=1)


def test_no_image_can_be_read(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.jpg").touch()
    with pytest.raises(DataError, match="has no image that can be read"):
        survey(tmp_path)


@pytest.mark.full
def test_pictures_that_look_alike_across_splits(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for split, names in (("train", ("cat", "dog")), ("test", ("cat", "dog"))):
        for name in names:
            (tmp_path / split / name).mkdir(parents=True)
            noise = random.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(noise).resize((96, 96)).save(tmp_path / split / name / "0.png")
    with Image.open(tmp_path / "train/dog/0.png") as image:
        image.resize((80, 80)).save(tmp_path / "test/dog/1.jpg", quality=70)
    [pair] = survey(tmp_path, similar=True).similar or ()
    assert (pair.train, pair.other, pair.split) == ("train/dog/0.png", "test/dog/1.jpg", "test")
    assert isinstance(pair, SimilarPair)


def test_names_that_a_list_can_have() -> None:
    assert path_fault("cat/0.jpg") == ""
    assert "control" in path_fault("cat/a\x1bb.jpg")
    assert "blank" in path_fault(" cat/0.jpg")
    assert "too long" in path_fault("c" * 901)
    assert class_labels(["hot  dog ", "cat"]) == ["hot dog", "cat"]
    with pytest.raises(DataError, match="'hot dog' and 'hot dog ' differ in blanks only"):
        class_labels(["hot dog", "hot dog "])
