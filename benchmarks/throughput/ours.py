"""Metered runs of ltbench: everything that depends on the inside of the engine."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import ltbench.data.images
import ltbench.data.loading.batches
from benchmarks.throughput.meter import Meter
from ltbench.backbone import Backbone
from ltbench.config.resolve import Resolved, resolve
from ltbench.config.text import Text
from ltbench.contexts import BackboneContext
from ltbench.data.decoding.decode import decode
from ltbench.data.loading.crop import crop
from ltbench.engine.building.builder import build_run
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.building.checked_components import CheckedLoss
from ltbench.engine.evaluate import evaluate
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.model.flops import forward_flops as forward_flops
from ltbench.engine.model.precision import PrecisionPolicy, asked_for, lower_precision
from ltbench.engine.run import RuntimeConfig
from ltbench.engine.training.checkpoint import TrainState
from ltbench.engine.training.feature_loader import training_loader
from ltbench.engine.training.loop import train
from ltbench.engine.training.train_loader import TrainLoader, image_loader
from ltbench.progress import SilentReporter
from ltbench.ranks.group import SINGLE
from ltbench.registry.load import load_plugins
from ltbench.views import Views


@dataclass(frozen=True)
class PreparedRun:
    """A resolved run with its built parts, ready to start."""

    resolved: Resolved
    parts: BuiltRun


def build(settings: Mapping[str, str], data: Path, device: str, workers: int | None) -> PreparedRun:
    """Returns a run, built as `ltbench run` builds it.

    Args:
        settings: Settings as on the command line.
        data: Data root.
        device: Device of the run.
        workers: Number of decoding processes; None: the choice of `ltbench run`.
    """
    resolved = resolve(load_plugins(), {k: Text(v) for k, v in settings.items()}, data, [])
    loader_config = RuntimeConfig(Path("unused"), device, workers).loader_config(resolved.spec)
    return PreparedRun(resolved, build_run(resolved, loader_config))


def backbone(settings: Mapping[str, str], device: torch.device) -> Backbone:
    """Returns a frozen backbone on its device.

    Args:
        settings: Settings of the backbone, as on the command line.
        device: Device of the backbone.
    """
    chosen = {k: Text(v) for k, v in settings.items()}
    resolved = resolve(load_plugins(), chosen, Path("unused"), [])
    built: Backbone = resolved.build("backbone", BackboneContext(seed=0))
    return built.eval().requires_grad_(False).to(device)


def precisions(device: torch.device) -> tuple[PrecisionPolicy, PrecisionPolicy]:
    """Returns the policies of float32, and of the lower precision that is faster on the device."""
    lower, _ = lower_precision(device)
    return asked_for("fp32", device), asked_for("bf16" if lower == "fp32" else lower, device)


class MeteredLoader:
    """Train loader whose batches a meter times, and which ends after the meter's last step.

    Args:
        loader: Train loader.
        meter: Meter of the steps.
        resident: Whether the first batch is repeated, to time the step alone.
    """

    def __init__(self, loader: TrainLoader, meter: Meter, resident: bool = False) -> None:
        self._loader = loader
        self._meter = meter
        self._resident = resident

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __len__(self) -> int:
        return len(self._loader)

    def epoch(self, epoch: int, batch_size: int, parts: int = 1) -> Iterator[Any]:
        """Yields batches, epoch after epoch, until the meter has its steps."""
        numbers = itertools.count(epoch)
        rounds = (self._loader.epoch(number, batch_size, parts) for number in numbers)
        whole = (one for each in rounds for one in each if sum(map(len, one)) == batch_size)
        seen = itertools.repeat(next(whole)) if self._resident else whole
        yield from self._meter.batches(seen)


class FewImages:
    """Train loader of one small batch, to count the operations of a step."""

    def __init__(self, loader: TrainLoader, images: int) -> None:
        self._loader = loader
        self._images = images

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __len__(self) -> int:
        return self._images

    def epoch(self, epoch: int, batch_size: int, parts: int = 1) -> Iterator[Any]:
        """Yields the single batch."""
        yield next(iter(self._loader.epoch(epoch, self._images, parts)))


def train_epoch(run: PreparedRun, loader: Any, batch_size: int | None = None) -> None:
    """Trains one epoch of a loader with the engine's own loop, from the start.

    Args:
        run: Prepared run.
        loader: Train loader.
        batch_size: Number of images per step; None: that of the run.
    """
    train_config = run.resolved.spec.train
    size = batch_size or train_config.batch_size
    config = replace(train_config, epochs=1, batch_size=size)
    model, loss, policy = run.parts.model, run.parts.loss, run.parts.policy
    state = TrainState.start(run.parts.optimizer(model.learned(), config.lr), policy)
    schedule, silent = run.parts.schedule, SilentReporter()
    train(model, loader, loss, schedule, state, config, policy, SINGLE, silent, lambda state: None)


def attach(meter: Meter, run: PreparedRun) -> None:
    """Assigns the functions of the engine's loop to phases of a meter."""
    meter.patch(run.parts.model, "forward", "forward")
    meter.patch(FeatureExtractor, "encode", "forward")  # for runs with a frozen encoder
    meter.patch(CheckedLoss, "__call__", "forward")
    meter.patch(torch.Tensor, "backward", "backward")
    meter.patch(torch.optim.SGD, "step", "step")
    meter.patch(torch.optim.SGD, "zero_grad", "step")
    # Only decoding and cropping in this process are seen; in loader workers they count as waiting.
    for module, function, phase in (
        (ltbench.data.images, "decode", "decode"),
        (ltbench.data.loading.batches, "resample", "augment"),
    ):
        if hasattr(module, function):
            meter.patch(module, function, phase)
    if meter.device.type == "cuda":
        meter.patch(torch.Tensor, "to", "transfer", within="data")


def train_loader(run: PreparedRun) -> TrainLoader:
    """Returns the loader of the training loop, without cached features."""
    spec = run.resolved.spec
    return training_loader(run.parts, image_loader(run.parts, spec.seed, spec.train.epochs))


def evaluate_split(run: PreparedRun, split: str) -> int:
    """Evaluates a split with the engine's own loop, and returns its number of images."""
    batches = run.parts.evaluation_batches(split)
    return len(evaluate(run.parts, batches, SilentReporter()).labels)


def build_dataset(settings: Mapping[str, str], data: Path) -> int:
    """Builds a run's data set from its lists, and returns its number of training images."""
    resolved = resolve(load_plugins(), {k: Text(v) for k, v in settings.items()}, data, [])
    dataset = resolved.build("dataset", resolved.data)
    return len(dataset.splits["train"])


def decode_file(content: bytes) -> NDArray[np.uint8]:
    """Returns the pixels of an image file."""
    return decode(content, "image")


class FileViews:
    """Views of a tree's files in the first epoch of a training, without loader workers.

    Args:
        settings: Settings of the run.
        data: Data root.
    """

    def __init__(self, settings: Mapping[str, str], data: Path) -> None:
        chosen = {**settings, "method": "classifier_only", "precision": "fp32"}
        run = build(chosen, data, "cpu", workers=0)
        self._batches = image_loader(run.parts, seed=0, epochs=1).batches

    @property
    def resolution(self) -> int:
        """Side R of the views in pixels."""
        return self._batches.resolution

    def views(self, image: int, pixels: NDArray[np.uint8]) -> Views:
        """Returns the view of an image."""
        return self._batches.views_of(np.array([pixels.shape[:2]]), 0, np.array([image]))

    def crop(self, pixels: NDArray[np.uint8], views: Views) -> Tensor:
        """Returns the view's pixels, resized: (1, 3, R, R)."""
        return crop(pixels, views, self._batches.resolution)

    def read(self, images: int) -> list[Tensor]:
        """Returns the views of the first images, read from files, about 16 per tensor."""
        parts = np.array_split(np.arange(images), max(1, images // 16))
        return [batch.views[:, 0] for batch in self._batches.of((0, part) for part in parts)]
