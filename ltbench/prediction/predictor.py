"""Predictions of a stored model, as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.config.chosen_inference import choose_inference
from ltbench.config.runspec import Choice
from ltbench.data.images import ImageSource
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.checked_components import CheckedInference
from ltbench.engine.evaluate import STORED_LOGITS, image_logits
from ltbench.engine.memory import memory_explained
from ltbench.engine.stored_model import StoredModel, load_model
from ltbench.errors import ConfigError, NonFiniteLossError, quoted
from ltbench.prediction.given_images import image_sources
from ltbench.prediction.image_features import ImageFeatures
from ltbench.prediction.image_predictions import ImagePredictions, Pieces
from ltbench.prediction.model_prior import model_prior
from ltbench.prediction.prediction_table import PredictedImages
from ltbench.prediction.prior import Prior, target_prior
from ltbench.progress import SILENT, ProgressReporter
from ltbench.ranks.group import SINGLE, Group
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.load import load_plugins
from ltbench.specs import Settings
from ltbench.storage.result_schema import RunResult

DEFAULT_TOP = 5
_LESS_MEMORY = "take --device cpu, or a smaller batch_size in Python"
_IMAGES_PER_COPY = 4096  # from a GPU: each copy waits for all that it has to compute


@dataclass(frozen=True)
class Predictor:
    """A stored model with the views that it predicts from, on its device.

    Args:
        model: The trained model.
        inference: Inference and its options.
        prior: The prior that the probabilities are converted to, as a text; None for none.
    """

    model: StoredModel
    inference: Choice
    prior: str | None
    _checked: CheckedInference = field(repr=False)
    _adjustment: Tensor | None = field(repr=False)

    def __repr__(self) -> str:
        """Returns one line: the classes, the device, the views and the prior."""
        prior = f", prior {self.prior}" if self.prior else ""
        return (
            f"<Predictor of {len(self.class_names):,} classes on {self.model.device}, "
            f"inference {self.inference.name}{prior}>"
        )

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names, by class id."""
        return self.model.class_names

    def predict(
        self,
        images: Any,
        *,
        top: int = DEFAULT_TOP,
        batch_size: int | None = None,
        workers: int | None = None,
        progress: bool = False,
    ) -> ImagePredictions:
        """Predicts the classes of images.

        Args:
            images: Path of a file, a folder, a pattern or a CSV file; a list of paths, of PIL
                images or of uint8 arrays (height, width, 3); one PIL image or such an array; a
                uint8 array (N, height, width, 3) or tensor (N, 3, height, width); or a
                `torch.utils.data.DataLoader` of such tensors, alone or followed by labels, which
                are ignored.
            top: Number of classes of each image, the most probable ones.
            batch_size: Images in a forward pass; None: as in an evaluation, with the same bits.
            workers: Number of processes that decode files; None to measure it.
            progress: Whether progress is shown on the standard error.

        Raises:
            ConfigError: The images are of another type or shape, or a number is not positive.
            DataError: No image is found, or none can be decoded.
        """
        from ltbench.engine.progress_bar import show_progress

        _expect_numbers(top=(top, 1), batch_size=(batch_size, 1), workers=(workers, 0))
        pieces = Pieces(self.class_names)
        for source in image_sources(images):
            if not progress:
                pieces.add(source, self.stream(source, top, batch_size, workers))
                continue
            with show_progress() as reporter:
                reporter.start("predicting", len(source))
                pieces.add(source, self.stream(source, top, batch_size, workers, reporter))
                reporter.stop()
        return pieces.joined()

    @torch.inference_mode()
    def stream(
        self,
        images: ImageSource,
        top: int = DEFAULT_TOP,
        batch_size: int | None = None,
        workers: int | None = None,
        progress: ProgressReporter = SILENT,
        group: Group = SINGLE,
    ) -> Iterator[PredictedImages]:
        """Yields the predictions of images, some at a time, in their order.

        Args:
            images: The images.
            top: Number of classes of each image, the most probable ones.
            batch_size: Images in a forward pass; None: as in an evaluation.
            workers: Number of processes that decode files; None to measure it.
            progress: Reporter of the images that are done, in a stage that has begun.
            group: Processes that share the images out; each of them yields all predictions.

        Raises:
            NonFiniteLossError: Some logits are NaN or infinite.
        """
        device = self.model.device
        loader_config = LoaderConfig(device, workers, skip_corrupt=True, group=group)
        features = ImageFeatures(self.model, self._checked, images, loader_config, batch_size)
        rows: list[tuple[Tensor, ...]] = []
        waiting = 0
        with memory_explained(_LESS_MEMORY):
            views = features.of_all(progress)
            for batch, logits in image_logits(self.model.classifier, self._checked, views):
                rows.append((batch.indices, *self._top(logits, top)))
                waiting += len(logits)
                progress.advance(len(logits))
                if device.type == "cpu" or waiting >= _IMAGES_PER_COPY:
                    yield _copied(rows, features.take_skipped())
                    rows, waiting = [], 0
        features.close()
        skipped = features.take_skipped()
        if rows or skipped:
            yield _copied(rows, skipped, min(top, len(self.class_names)))

    def _top(self, logits: Tensor, top: int) -> tuple[Tensor, Tensor, Tensor]:
        """Returns classes and logits (B, k) of the most probable classes, and log-sum-exp (B,)."""
        if self._adjustment is not None:
            logits = logits + self._adjustment
        classes = logits.shape[1]
        # At least as many as an evaluation stores: the order of equal logits depends on it.
        found = logits.topk(min(max(top, STORED_LOGITS), classes))
        k = min(top, classes)
        return found.indices[:, :k], found.values[:, :k], logits.logsumexp(dim=1)


def load_predictor(
    result: RunResult,
    *,
    inference: str | None = None,
    prior: Prior | None = None,
    device: str = "auto",
    settings: Settings | None = None,
    data_root: Path = Path("data"),
) -> Predictor:
    """Rebuilds the trained model of a finished run for predictions; no data set is needed.

    The model of a run that an older version of ltbench stored needs the data set.

    Args:
        result: Result of the run.
        inference: Name of the inference; None for that of the run.
        prior: Class prior that the probabilities are converted to; None for none.
        device: "auto", "cpu", "cuda", "cuda:1", ...
        settings: Options of the inference as "inference.OPTION", and new paths of files that have
            moved, such as "backbone.path".
        data_root: Folder of the data sets, for runs of older versions.

    Raises:
        ConfigError: There is no such inference, option, prior, device or component; the inference
            is transductive; or the prior of the model is not known.
        DataError: Weights or a file of the prior are missing, damaged, or not those of the run.
    """
    given, registry = dict(settings or {}), load_plugins()
    options = {key: given.pop(key) for key in list(given) if key.startswith("inference.")}
    chosen = choose_inference(
        registry,
        result.spec.inference,
        inference,
        {key.removeprefix("inference."): value for key, value in options.items()},
    )
    target = None
    if prior is not None:
        target = target_prior(prior, result.classes.names, result.classes.trained_on)
    with memory_explained(_LESS_MEMORY):
        model = load_model(result.path, device, given, data_root)
    with attribute_errors(chosen.component):
        built = chosen.component.spec.build(chosen.config, model.context)
    checked = CheckedInference(built, chosen.component)
    if checked.transductive:
        raise ConfigError(
            f"inference '{chosen.choice.name}' adjusts all images of an evaluation together: it "
            "predicts no single image",
            hint="choose another inference, such as tte; a known class prior is given with prior",
        )
    adjustment = None
    if target is not None:
        source = model_prior(result, registry, model.context, checked)
        adjustment = _log_ratio(target, source).to(model.device)
    return Predictor(model, chosen.choice, _described(prior), checked, adjustment)


def _log_ratio(target: NDArray[np.float64], source: NDArray[np.float64]) -> Tensor:
    """Returns log(target / source), (K,) float32, the largest 0; -inf where the target is 0."""
    with np.errstate(divide="ignore"):
        logs = np.log(target) - np.log(source)
    return torch.from_numpy((logs - logs.max()).astype(np.float32))


def _described(prior: Prior | None) -> str | None:
    if prior is None or isinstance(prior, str):
        return prior
    return "given by class" if isinstance(prior, Mapping) else str(prior)


def _copied(
    rows: list[tuple[Tensor, ...]], skipped: Mapping[int, str], top: int = 1
) -> PredictedImages:
    """Returns predictions in memory from their parts on the device.

    Args:
        rows: Indices (B,), classes (B, k), logits (B, k) and log-sum-exp (B,) of each part.
        skipped: Messages about images that could not be decoded, by index.
        top: k where there are no parts.

    Raises:
        NonFiniteLossError: Some logits are NaN or infinite.
    """
    if not rows:
        nothing = np.empty((0, top))
        return PredictedImages(np.empty(0, np.int64), nothing.astype(np.int64), nothing, skipped)
    indices, classes, logits, sums = (
        torch.cat(column).cpu().numpy() for column in zip(*rows, strict=True)
    )
    broken = int((~np.isfinite(sums)).sum())
    if broken:
        raise NonFiniteLossError(
            f"the logits of {broken} of {len(sums)} images are not finite",
            hint="the model has diverged, or its precision is too low: train it in fp32",
        )
    margins = logits.astype(np.float64) - sums[:, None]
    return PredictedImages(indices, classes, np.exp(np.minimum(margins, 0)), skipped)


def _expect_numbers(**numbers: tuple[Any, int]) -> None:
    """Checks that numbers are whole and not too small; None is accepted where it is a default.

    Raises:
        ConfigError: All faults.
    """
    faults = [
        f"{name}: expected a whole number of at least {least}, got {quoted(value)}"
        for name, (value, least) in numbers.items()
        if not (value is None and name != "top")
        and (not isinstance(value, int) or isinstance(value, bool) or value < least)
    ]
    if faults:
        raise ConfigError.from_faults(faults, hint="see help(ltbench.load_run(...).predict)")
