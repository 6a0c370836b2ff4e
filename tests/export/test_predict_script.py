"""The script of an exported folder: its pixels and predictions are those of ltbench."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ltbench
from ltbench.contexts import DataContext
from ltbench.data import Dataset
from ltbench.data.images import ArrayImages
from ltbench.data.loading.crop import crop
from ltbench.data.loading.resample import resample
from ltbench.export import predict_script
from ltbench.views import Views, crops_of_resized
from ltbench_plugins.datasets.digits_lt import DIGITS_LT

SETTINGS = {
    "resolution": 32,
    "views": [
        {"short_side": 35, "place": place, "flip": place == "center"}
        for place in ("top_left", "top_right", "bottom_left", "bottom_right", "center")
    ],
}
WITHOUT_LTBENCH = """
import sys

class Refuses:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("ltbench", "ltbench_plugins"):
            raise ImportError(name)

sys.meta_path.insert(0, Refuses())
try:
    import ltbench
except ImportError:
    pass
else:
    raise SystemExit("ltbench can be imported")
import numpy, torch
torch.set_num_threads(1)
folder, out, *images = sys.argv[1:]
sys.path.insert(0, folder)
from predict import Model
numpy.save(out, Model(folder, "numpy").logits(images))
"""


def model(resize: str) -> predict_script.Model:
    """The script's model without the part that computes logits."""
    made = object.__new__(predict_script.Model)
    made.settings, made.resolution, made.resize = SETTINGS, 32, resize
    return made


@pytest.mark.parametrize("size", [(32, 32), (75, 50), (20, 41), (300, 301)])
def test_views_are_those_of_ltbench(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    boxes = crops_of_resized(np.array([size]), 35, 32, corners=True)
    flips = np.array([[False, False, False, False, True]])
    of_file = crop(pixels, Views(boxes, flips), 32).numpy()
    np.testing.assert_array_equal(model("torch").views(pixels), of_file)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    of_array = resample(image, torch.from_numpy(boxes), torch.from_numpy(flips), 32)[0].numpy()
    np.testing.assert_array_equal(model("numpy").views(pixels), of_array)


def test_long_images_are_cropped_first() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 1200, 3), dtype=np.uint8)
    boxes = crops_of_resized(np.array([(40, 1200)]), 35, 32, corners=True)
    expected = crop(pixels, Views(boxes), 32).numpy()
    views = model("torch").views(pixels).copy()
    views[4] = views[4, :, :, ::-1]
    assert np.abs(views.astype(int) - expected).max() <= 1


def test_deep_and_indexed_images_are_decoded(tmp_path: Path) -> None:
    grey = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    decoded = predict_script.decode(tmp_path / "deep.png")
    np.testing.assert_array_equal(decoded[..., 0], grey >> 8)
    Image.fromarray((grey >> 8).astype(np.uint8)).convert("P").save(tmp_path / "indexed.png")
    assert predict_script.decode(tmp_path / "indexed.png").shape == (8, 8, 3)


def digits() -> Dataset:
    dataset = DIGITS_LT.build(DIGITS_LT.config(), DataContext(Path("data"), 0))
    assert isinstance(dataset, Dataset)
    return dataset


CASES = [("lora", "openclip"), ("lift_plus", "torch"), ("lift_plus", "onnx"), ("full", "torch")]


@pytest.mark.full
@pytest.mark.parametrize("case", CASES)
def test_the_predictions_are_those_of_the_run_without_ltbench(
    case: tuple[str, str], tmp_path: Path
) -> None:
    method, to = case
    settings = {"train.epochs": 1, "precision": "fp32"}
    run = ltbench.run(
        method=method, out=tmp_path / "runs", device="cpu", progress=False, **settings
    )
    exported = run.export(to, tmp_path / "model")
    assert exported.max_error < 1e-3
    images = digits().splits["test"].images
    assert isinstance(images, ArrayImages)
    chosen = np.arange(0, len(images.pixels), 3)
    paths = [tmp_path / f"{number:04d}.png" for number in chosen]
    for path, pixels in zip(paths, images.pixels[chosen], strict=True):
        Image.fromarray(pixels).save(path)
    out = tmp_path / "logits.npy"
    arguments = [sys.executable, "-c", WITHOUT_LTBENCH, str(tmp_path / "model"), str(out)]
    ended = subprocess.run(
        [*arguments, *map(str, paths)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ended.returncode == 0, ended.stderr
    logits, stored = np.load(out), run.predictions()
    np.testing.assert_array_equal(logits.argmax(axis=1), stored.predicted[chosen])
    found = np.take_along_axis(logits, stored.classes[chosen], axis=1)
    differences = np.abs(found - stored.logits[chosen])
    assert np.median(differences.max(axis=1)) < 1e-4
    assert differences.max() < 0.05  # where a pixel is halfway between two levels
