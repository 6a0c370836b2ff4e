"""`FinishedRun.diagnose`: features of finished runs, computed once and read afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import ltbench
from ltbench.errors import ConfigError, DataError
from ltbench.registry.registry import Registry
from ltbench.storage.diagnosis_schema import read_diagnosis, write_diagnosis
from tests import trees
from tests.analysis.diagnosis.diagnosed import diagnosis_of, stored_run

COUNTS = {"train": {"ant": 9, "bee": 4, "cat": 1}, "test": {"ant": 3, "bee": 3, "cat": 2}}
ON_CPU: dict[str, Any] = {"device": "cpu", "workers": 0}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose encoder is trained, on images of which two are corrupt."""
    folder = tmp_path_factory.mktemp("diagnosed")
    tree = trees.class_folders(folder / "set", COUNTS)
    for name in ("train/ant/8.jpg", "test/bee/2.jpg"):
        (tree / name).write_bytes(b"no image")
    settings: dict[str, Any] = {
        "dataset": "folder",
        "dataset.path": tree,
        "train.epochs": 1,
        "precision": "fp32",
        "on_corrupt": "skip",
    }
    return ltbench.run(out=folder / "runs", progress=False, **ON_CPU, **settings).path


def plain(path: Path, side: int) -> torch.Tensor:
    """Reads the largest centred square of an image, resized."""
    image = Image.open(path)
    half, (width, height) = min(image.size) / 2, image.size
    box = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
    seen = image.resize((side, side), Image.Resampling.BICUBIC, box=box)
    return torch.from_numpy(np.array(seen)).permute(2, 0, 1)[None]


@pytest.mark.full
def test_features_are_those_of_the_stored_model(finished: Path) -> None:
    run = ltbench.load_run(finished)
    found = run.diagnose(**ON_CPU)
    classes = found.classes
    assert classes["train_features"].tolist() == [8, 4, 1]
    assert classes["test_images"].tolist() == [3, 2, 2]
    assert "2 images were left out because they cannot be decoded." in found.notes
    assert classes["energy"].isna().tolist() == [False, False, True]
    model = run.model(device="cpu").classifier
    tree = Path(run.spec.dataset.paths["path"])
    with torch.inference_mode():
        pixels = torch.cat(
            [plain(tree / f"train/bee/{n}.jpg", model.backbone.resolution) for n in range(4)]
        )
        features = model.backbone(model.backbone.normalize(pixels))
        right = (model.classify(features).argmax(dim=1) == 1).float().mean()
    rows = torch.nn.functional.normalize(features).double().numpy()
    own = 1 - np.linalg.norm(rows.mean(axis=0))
    # The engine resizes with its own kernel, which differs from Pillow by a level.
    assert classes.loc[1, "intra_train_own"] == pytest.approx(own, rel=0.02)
    assert classes.loc[1, "train_accuracy"] == 100 * right


@pytest.mark.full
def test_a_diagnosis_is_computed_once(finished: Path, tmp_path: Path) -> None:
    path = shutil.copytree(finished, tmp_path / "run")
    run = ltbench.load_run(path)
    (path / "diagnosis.json").unlink(missing_ok=True)
    first = run.diagnose(**ON_CPU, cache=0)
    stored = (path / "diagnosis.json").read_bytes()
    missing = {"settings": {"dataset.path": str(tmp_path / "nowhere")}}
    again = run.diagnose(**missing)  # no data are needed any more
    assert again.stored == first.stored
    with pytest.raises(DataError):
        run.diagnose(encoder="pretrained", **missing)
    before = run.diagnose(encoder="pretrained", **ON_CPU, cache=0)
    assert (path / "diagnosis.json").read_bytes() == stored
    assert before.classes["test_accuracy"].isna().all()
    assert before.classes.loc[0, "intra_train"] != first.classes.loc[0, "intra_train"]
    assert before.title == "the pretrained backbone on set with clip_tiny, seed 0"


@pytest.mark.full
def test_pretrained_features_are_those_of_a_run_that_trains_nothing(tmp_path: Path) -> None:
    tree = trees.class_folders(tmp_path / "set", COUNTS)
    settings: dict[str, Any] = {
        "dataset": "folder",
        "dataset.path": tree,
        "method": "classifier_only",
        "train.epochs": 1,
    }
    run = ltbench.run(out=tmp_path / "runs", progress=False, **ON_CPU, **settings)
    trained, before = run.diagnose(**ON_CPU), run.diagnose(encoder="pretrained", **ON_CPU)
    for name in ("intra_train", "intra_test", "energy", "energy_floor", "mean_shift"):
        assert trained.classes[name].tolist() == pytest.approx(
            before.classes[name].tolist(), nan_ok=True, rel=1e-5
        )


@pytest.mark.parametrize(
    "arguments",
    [{"encoder": "other"}, {"workers": -1}, {"device": 3}, {"cache": -1}, {"settings": [1]}],
)
def test_wrong_arguments_are_named(
    tmp_path: Path, registry: Registry, arguments: dict[str, Any]
) -> None:
    run = ltbench.load_run(stored_run(tmp_path, registry).path)
    with pytest.raises(ConfigError, match=next(iter(arguments))):
        run.diagnose(**arguments)


def test_a_stored_diagnosis_is_read(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry)
    write_diagnosis(run, diagnosis_of(run))
    found = ltbench.load_run(run.path).diagnose()
    assert found.stored == (read_diagnosis(run),)
    (run.path / "diagnosis.json").write_text("{}")
    with pytest.raises(DataError, match=r"diagnosis\.json was not written by ltbench"):
        ltbench.load_run(run.path).diagnose()
