"""Predictions of a stored model: bits, orders, priors, corrupt images."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import ltbench
from ltbench.config.resolve import resolve, settings_of
from ltbench.errors import ConfigError, DataError
from ltbench.prediction.image_predictions import ImagePredictions
from ltbench.prediction.predictor import Predictor
from ltbench.registry.load import load_plugins
from tests.prediction.stored import Predictable, predictable_run


@pytest.fixture(scope="module")
def predictor(predictable: Predictable) -> Predictor:
    return predictable.run.predictor(device="cpu")


@pytest.fixture(scope="module")
def all_images(predictor: Predictor, predictable: Predictable) -> ImagePredictions:
    return predictor.predict(predictable.images, workers=0)


def files(predictable: Predictable) -> list[Path]:
    return sorted(predictable.images.rglob("*.jpg"))


def test_predictions_of_the_runs_own_test_images_are_the_stored_ones(
    predictable: Predictable, all_images: ImagePredictions
) -> None:
    stored = predictable.run.predictions()
    margins = stored.logits.astype(np.float64) - stored.log_sum_exp[:, None]
    np.testing.assert_array_equal(all_images.classes, stored.classes)
    np.testing.assert_array_equal(all_images.probabilities, np.exp(np.minimum(margins, 0)))
    np.testing.assert_array_equal(all_images.indices, stored.indices)
    assert all_images.paths == tuple(map(str, files(predictable)))
    assert all_images.names[0, 0] == all_images.class_names[all_images.classes[0, 0]]
    np.testing.assert_allclose(all_images.probabilities.sum(axis=1), 1, rtol=1e-6)


def test_a_predictor_is_shown_in_one_line(predictable: Predictable, predictor: Predictor) -> None:
    assert repr(predictor) == "<Predictor of 3 classes on cpu, inference center>"
    converted = predictable.run.predictor(prior="uniform", device="cpu")
    assert repr(converted).endswith("inference center, prior uniform>")


def test_another_inference_has_options(predictable: Predictable, predictor: Predictor) -> None:
    options = {"inference.expand": 4}
    tte = predictable.run.predictor(inference="tte", settings=options, device="cpu")
    assert tte.inference.options == {"expand": 4}
    assert predictor.inference.name == "center"


def test_random_views_depend_on_no_other_image(predictable: Predictable) -> None:
    options = {"inference.views": 2, "inference.operations": 1}
    drawing = predictable.run.predictor(inference="randaug_tte", settings=options, device="cpu")
    paths = files(predictable)[:4]
    there = drawing.predict(paths, workers=0)
    back = drawing.predict(paths[::-1], batch_size=1, workers=0)
    assert np.array_equal(there.classes, back.classes[::-1])
    np.testing.assert_allclose(there.probabilities, back.probabilities[::-1], rtol=1e-4)


def test_every_kind_of_image_gives_the_same(
    predictable: Predictable, predictor: Predictor, all_images: ImagePredictions
) -> None:
    paths = files(predictable)
    pictures = [Image.open(path) for path in paths]
    arrays = [np.array(picture) for picture in pictures]
    for images in (paths, list(map(str, paths)), pictures, arrays, f"{predictable.images}/*"):
        seen = predictor.predict(images, top=2, workers=0)
        np.testing.assert_array_equal(seen.probabilities, all_images.probabilities[:, :2])
    for image in (pictures[3], arrays[3]):
        one = predictor.predict(image)
        np.testing.assert_allclose(one.probabilities, all_images.probabilities[3:4], rtol=1e-4)
        assert one.paths == ()
    one = predictor.predict(paths[3], workers=1)
    np.testing.assert_allclose(one.probabilities, all_images.probabilities[3:4], rtol=1e-4)


def test_tensors_arrays_and_loaders_are_resized_on_the_device(predictor: Predictor) -> None:
    pixels = torch.randint(0, 256, (7, 3, 40, 30), dtype=torch.uint8)
    whole = predictor.predict(pixels)
    array = predictor.predict(pixels.permute(0, 2, 3, 1).numpy())
    np.testing.assert_array_equal(array.probabilities, whole.probabilities)
    labels = torch.zeros(len(pixels))
    for loader in (DataLoader(pixels, 3), DataLoader(TensorDataset(pixels, labels), 3)):
        seen = predictor.predict(loader)  # type: ignore[arg-type]
        np.testing.assert_allclose(seen.probabilities, whole.probabilities, rtol=1e-4)
        assert seen.indices.tolist() == list(range(7))
    frame = whole.to_frame()
    assert frame["index"].tolist() == list(range(7))
    assert frame["class"].dtype.categories.tolist() == ["ant", "bee", "cat"]


def test_no_single_image_is_predicted_with_all_images_together(predictable: Predictable) -> None:
    with pytest.raises(ConfigError, match="'em_prior' adjusts all images of an evaluation") as told:
        predictable.run.predictor(inference="em_prior", device="cpu")
    assert told.value.hint is not None
    assert "another inference" in told.value.hint


def test_pictures_are_converted_as_files_are(predictor: Predictor, tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (40, 50), dtype=np.uint16)
    pictures = {
        "deep.png": Image.fromarray(levels),
        "palette.png": Image.fromarray((levels >> 8).astype(np.uint8)).convert("P"),
        "alpha.png": Image.fromarray((levels >> 8).astype(np.uint8)).convert("RGBA"),
    }
    for name, picture in pictures.items():
        picture.save(tmp_path / name)
    from_files = predictor.predict([tmp_path / name for name in pictures], workers=0)
    with Image.open(tmp_path / "deep.png") as opened:
        in_memory = predictor.predict([opened, *list(pictures.values())[1:]])
    np.testing.assert_array_equal(in_memory.probabilities, from_files.probabilities)
    content = (tmp_path / "deep.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    with (
        Image.open(tmp_path / "cut.png") as cut,
        pytest.raises(DataError, match="image 0 cannot be decoded"),
    ):
        predictor.predict(cut)
    with pytest.raises(DataError, match="its black and white values are unknown"):
        predictor.predict(Image.fromarray(levels))


def test_duplicates_of_a_list_are_kept(predictable: Predictable, predictor: Predictor) -> None:
    path = files(predictable)[0]
    assert len(predictor.predict([path, path], workers=0)) == 2


def test_the_number_of_workers_changes_nothing(
    predictable: Predictable, predictor: Predictor, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = files(predictable)
    one, chosen = (
        predictor.predict(paths, workers=workers, batch_size=4, progress=workers is None)
        for workers in (0, None)
    )
    np.testing.assert_array_equal(one.probabilities, chosen.probabilities)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "workers: " in shown.err


def test_corrupt_images_are_skipped_and_named(
    predictable: Predictable, predictor: Predictor, tmp_path: Path
) -> None:
    root = shutil.copytree(predictable.images, tmp_path / "copy")
    (root / "ant/2.jpg").write_bytes(b"")
    (root / "bee/0.jpg").write_bytes(b"<html>")
    seen = predictor.predict(root, batch_size=3, workers=0)
    assert len(seen) == len(files(predictable)) - 2
    assert [one.index for one in seen.skipped] == [2, 9]
    assert seen.skipped[0].path == str(root / "ant/2.jpg")
    assert seen.skipped[0].reason.endswith("cannot be decoded: it is empty")
    assert {2, 9}.isdisjoint(seen.indices.tolist())
    assert repr(seen) == "<ImagePredictions of 18 images, 2 skipped>"
    with pytest.raises(DataError, match=r"2\.jpg cannot be decoded"):
        predictor.predict(root / "ant/2.jpg")
    with pytest.raises(DataError, match="none of 2 images can be decoded, such as the first"):
        predictor.predict([root / "ant/2.jpg", root / "bee/0.jpg"])


def test_a_prior_weights_the_probabilities(
    predictable: Predictable, all_images: ImagePredictions
) -> None:
    """The run has the logit-adjusted loss: its own prior is uniform."""
    by_class = np.empty_like(all_images.probabilities)
    np.put_along_axis(by_class, all_images.classes, all_images.probabilities, axis=1)
    given = {"ant": 5, "bee": 0, "cat": 1}
    for prior, weights in (
        ("uniform", [1, 1, 1]),
        ("train", [8, 4, 2]),
        (given, list(given.values())),
    ):
        seen = predictable.run.predict(predictable.images, prior=prior, device="cpu", workers=0)
        expected = by_class * np.array(weights)
        expected /= expected.sum(axis=1, keepdims=True)
        found = np.take_along_axis(expected, seen.classes, axis=1)
        np.testing.assert_allclose(seen.probabilities, found, rtol=1e-5, atol=1e-12)
        assert (np.diff(seen.probabilities) <= 0).all()


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (5, "expected images, got int"),
        ([], "expected images, got no image"),
        (torch.zeros(2, 3, 4, 4), r"expected torch.uint8 \(B, 3, height, width\), got torch.float"),
        (torch.zeros(2, 4, 4, 3, dtype=torch.uint8), r"got torch.uint8 \(2, 4, 4, 3\)"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.uint8, device="meta"), "a tensor with values"),
        (np.zeros((4, 4)), r"expected uint8 \(N, height, width, 3\), got float64 \(4, 4\)"),
        (np.zeros((4, 4, 3)), r"expected uint8 \(height, width, 3\), got float64"),
        ([np.zeros((0, 4, 3), np.uint8)], r"images\[0\]: expected uint8"),
        ([np.zeros((4, 4, 3), np.uint8), "a.jpg"], r"got 'a.jpg' as images\[1\]"),
        (["a.jpg", 5], r"got 5 as images\[1\] after paths"),
        (DataLoader([1, 2]), "got torch.int64"),  # type: ignore[arg-type]
        (DataLoader([{"a": 1}]), "a DataLoader of dict"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_image_is_refused(predictor: Predictor, images: Any, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        predictor.predict(images)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"top": 0}, "top: expected a whole number of at least 1, got 0"),
        ({"top": None}, "top: expected a whole number"),
        ({"batch_size": 0.5, "workers": -1}, "2 faults"),
        ({"inference": "tta"}, "there is no inference 'tta'"),
        ({"inference": 3}, "inference: expected a name"),
        ({"device": 3}, "device: expected a text"),
        ({"settings": {"inference.no": 1}}, "inference.no: is not an option"),
        ({"settings": {"train.lr": 1}}, "train.lr: not a path of backbone"),
        ({"settings": 3}, "settings: expected paths by key"),
        ({"prior": {"ant": 1}}, "2 of 3 classes have no weight"),
    ],
)
def test_wrong_arguments_are_named(
    predictable: Predictable, arguments: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        predictable.run.predict(predictable.images, **{"device": "cpu", **arguments})


@pytest.mark.full
def test_predictions_in_another_precision_with_five_views_are_the_stored_ones(
    tmp_path: Path,
) -> None:
    run = predictable_run(tmp_path, precision="bf16", inference="tte")
    seen = run.run.predict(run.images, device="cpu", workers=1)
    stored = run.run.predictions()
    margins = stored.logits.astype(np.float64) - stored.log_sum_exp[:, None]
    np.testing.assert_array_equal(seen.probabilities, np.exp(np.minimum(margins, 0)))


@pytest.mark.full
def test_the_arrays_of_a_data_set_give_the_stored_predictions(tmp_path: Path) -> None:
    run = ltbench.run(
        method="zero_shot", inference="center", out=tmp_path, device="cpu", progress=False
    )
    resolved = resolve(load_plugins(), settings_of(run.spec), Path("data"))
    images = resolved.build("dataset", resolved.data).splits["test"].images
    seen, stored = run.predict(images.pixels, top=10, device="cpu"), run.predictions()
    np.testing.assert_array_equal(seen.classes, stored.classes)
