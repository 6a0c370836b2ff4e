"""Runs on random images that are on the device as uint8 from the start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.throughput.ours import PreparedRun, train_epoch, train_loader
from ltbench.config.resolve import resolve
from ltbench.config.text import Text
from ltbench.contexts import DataContext
from ltbench.data import ArrayImages, Dataset, Split
from ltbench.engine.building.builder import build_run
from ltbench.engine.run import RuntimeConfig
from ltbench.registry.component import PluginInfo
from ltbench.registry.load import load_plugins
from ltbench.specs import DatasetSpec, option

_TEST_IMAGES = 8


@dataclass(frozen=True)
class NoiseConfig:
    """Options of the random images."""

    images: int = option(4096, "number of training images")
    classes: int = option(1000, "number of classes K")
    side: int = option(224, "side of the images in pixels")


def _noise(config: NoiseConfig, ctx: DataContext) -> Dataset:
    """Builds training images of uniform noise, classes in turn."""
    random = np.random.default_rng(0)

    def split(images: int) -> Split:
        shape = (images, config.side, config.side, 3)
        pixels = random.integers(0, 256, shape, dtype=np.uint8)
        return Split(ArrayImages(pixels), np.arange(images) % config.classes)

    names = tuple(f"class {number}" for number in range(config.classes))
    return Dataset(names, {"train": split(config.images), "test": split(_TEST_IMAGES)})


NOISE = DatasetSpec(
    name="resident_noise",
    summary="random images, for measurements",
    config=NoiseConfig,
    build=_noise,
)


def build_resident(settings: Mapping[str, str], device: str) -> PreparedRun:
    """Returns a run on random images that are on the device.

    Args:
        settings: Settings of the run besides the data set, as on the command line.
        device: Device of the run.
    """
    registry = load_plugins()
    registry.add(NOISE, PluginInfo("benchmarks", "benchmarks.gpu.resident", "ltbench", "0"))
    chosen = {"dataset": NOISE.name, "init": "random", **settings}
    given = {key: Text(value) for key, value in chosen.items()}
    resolved = resolve(registry, given, Path("unused"), [])
    loader_config = RuntimeConfig(Path("unused"), device, 0).loader_config(resolved.spec)
    return PreparedRun(resolved, build_run(resolved, loader_config))


class _StepsDone(Exception):
    """Ends a training before the end of its epoch, which reads the losses."""


class _FewSteps:
    """Train loader that ends after some steps, with a context around all but the first."""

    def __init__(
        self, loader: Any, steps: int, context: Callable[[], AbstractContextManager[object]]
    ) -> None:
        self._loader = loader
        self._steps = steps
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __len__(self) -> int:
        return len(self._loader)

    def epoch(self, epoch: int, batch_size: int, parts: int = 1) -> Iterator[Sequence[Any]]:
        """Yields the batches, and raises `_StepsDone`."""
        batches = self._loader.epoch(epoch, batch_size, parts)
        yield next(batches)  # the first step allocates memory and starts the optimizer
        with self._context():
            for _ in range(self._steps):
                yield next(batches)
        raise _StepsDone


def take_steps(
    run: PreparedRun, steps: int, context: Callable[[], AbstractContextManager[object]]
) -> None:
    """Takes a step of the engine's own loop, and some more in a context.

    Args:
        run: Prepared run, whose epoch has more steps.
        steps: Number of steps in the context.
        context: Function that returns the context.
    """
    try:
        train_epoch(run, _FewSteps(train_loader(run), steps, context))
    except _StepsDone:
        return
