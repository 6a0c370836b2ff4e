"""Test bench that resolves, builds and trains small runs around a component."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import MinLen

from ltbench.config.options import parse_options
from ltbench.config.resolve import Resolved
from ltbench.contexts import BackboneContext, BuildContext, DataContext
from ltbench.data import ArrayImages, Dataset, Split
from ltbench.engine.building.builder import build_run
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.building.checked_optimizer import set_learning_rate
from ltbench.engine.launch import PlannedRun, plan_run
from ltbench.engine.model.precision import asked_for
from ltbench.engine.run import RuntimeConfig
from ltbench.engine.training.checkpoint import TrainState
from ltbench.engine.training.train_loader import image_loader
from ltbench.errors import ConfigError, NothingMatchedError
from ltbench.registry.component import Component, PluginInfo
from ltbench.registry.registry import Registry
from ltbench.specs import DatasetSpec, Settings, option
from ltbench.testing.check import Skipped

SMALL_WEIGHTS = 5_000_000  # a backbone with more weights is not tried with every method
CLASS_COUNTS = (6, 3, 1, 0)
_TEST_IMAGES_PER_CLASS = 2
_MAX_KEPT_RUNS = 4  # consecutive checks of a subject share a built run
_SIDE = 32  # pixels


@dataclass(frozen=True)
class SyntheticConfig:
    """Options of the synthetic long-tailed set."""

    counts: Annotated[tuple[int, ...], MinLen(2)] = option(
        CLASS_COUNTS, "number of training images of each class"
    )


def _synthetic(config: SyntheticConfig, ctx: DataContext) -> Dataset:
    """Builds noise with a mean colour for each class."""
    classes = len(config.counts)
    random = np.random.default_rng(0)
    colors = random.uniform(40, 215, (classes, 3))

    def split(counts: tuple[int, ...]) -> Split:
        labels = np.repeat(np.arange(classes), counts)
        noise = random.normal(0, 30, (len(labels), _SIDE, _SIDE, 3))
        pixels = (colors[labels][:, None, None] + noise).clip(0, 255).astype(np.uint8)
        return Split(ArrayImages(pixels), labels)

    names = tuple(f"color_{index}" for index in range(classes))
    test = split((_TEST_IMAGES_PER_CLASS,) * classes)
    return Dataset(names, {"train": split(config.counts), "test": test})


SYNTHETIC = DatasetSpec(
    name="synthetic_long_tailed",
    summary="noise images for the conformance checks",
    config=SyntheticConfig,
    build=_synthetic,
)


@dataclass(frozen=True)
class Bench:
    """Resolves, builds and trains small runs, on the CPU in float32.

    Args:
        registry: Registry with all components and the synthetic data set.
    """

    registry: Registry
    _backbones: list[Trial] = field(default_factory=list)
    _refused: dict[str, str] = field(default_factory=dict)
    _kept: dict[str, BuiltRun] = field(default_factory=dict)
    _planned: dict[str, PlannedRun] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: Registry) -> Bench:
        """Returns a bench with the components of a registry, which is not changed."""
        named = {kind: components.copy() for kind, components in registry.components.items()}
        own = replace(registry, components=named)
        own.add(SYNTHETIC, PluginInfo("testing", "ltbench.testing", "ltbench", "0"))
        return cls(own)

    def resolve(self, settings: Settings) -> Resolved:
        """Returns the choices of a run of one epoch on the synthetic set.

        Raises:
            ConfigError: The settings do not go together.
        """
        return self.plan(settings).resolved

    def plan(self, settings: Settings) -> PlannedRun:
        """Returns a run of one epoch on the synthetic set.

        Raises:
            ConfigError: The settings do not go together.
        """
        key = repr(sorted(settings.items()))  # many checks have the same settings
        if key not in self._planned:
            self._planned[key] = self._plan(settings)
        return self._planned[key]

    def _plan(self, settings: Settings) -> PlannedRun:
        user = {
            "dataset": SYNTHETIC.name,
            "precision": "fp32",
            "inference": "center",  # five times fewer views than some methods recommend
            **settings,
        }
        method = self.registry.find("method", user.get("method", self.registry.default("method")))
        if "train.epochs" not in getattr(method.spec, "fixed", {}):
            user.setdefault("train.epochs", 1)
        return plan_run(self.registry, user, Path("data"))

    def runtime(self, folder: Path) -> RuntimeConfig:
        """Returns a configuration for the CPU, with run directories in a folder."""
        return RuntimeConfig(out=folder, device="cpu", workers=0)

    def build_run(self, settings: Settings) -> BuiltRun:
        """Returns a copy of a built run; several checks of a subject share one build.

        Raises:
            Skipped: The settings cannot be combined, so nothing can be checked.
        """
        key = self.resolve(settings).spec.hash
        if key not in self._kept:
            built = self.build(settings)
            while len(self._kept) >= _MAX_KEPT_RUNS:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = built
        return _copy_run(self._kept[key])

    def build(self, settings: Settings) -> BuiltRun:
        """Returns a newly built run.

        Raises:
            Skipped: The settings cannot be combined, so nothing can be checked.
        """
        resolved = self.resolve(settings)
        if (known := self._refused.get(resolved.spec.hash)) is not None:
            raise Skipped(known)
        try:
            return build_run(resolved, self.runtime(Path()).loader_config(resolved.spec))
        except (ConfigError, NothingMatchedError) as error:
            self._refused[resolved.spec.hash] = error.message
            raise Skipped(error.message) from error

    def config(self, trial: Trial, component: Component) -> Any:
        """Returns the config object for a trial's options."""
        kind = component.spec.kind
        options = {k.removeprefix(f"{kind}."): v for k, v in trial.settings.items() if k != kind}
        config, faults = parse_options(component.spec.config, options, kind, trial.name)
        assert config is not None, faults
        return config

    def backbones(self) -> Sequence[Trial]:
        """Returns the small backbones that need no download."""
        if not self._backbones:
            components = self.registry.components["backbone"].values()
            found = (trial for component in components for trial in trials(component))
            self._backbones.extend(trial for trial in found if self._size(trial) <= SMALL_WEIGHTS)
        return self._backbones

    def _size(self, trial: Trial) -> int:
        backbone = self.resolve(trial.settings).build("backbone", BackboneContext(seed=0))
        return int(backbone.num_parameters())


def _copy_run(built: BuiltRun) -> BuiltRun:
    """Returns a run with its own model, loss and features; the other parts are read-only."""
    shared = (
        built.dataset,
        built.augmentation,
        built.optimizer,
        built.schedule,
        built.refinement,
        built.inference,
        built.context,
        built.loader_config,
    )
    return copy.deepcopy(built, {id(part): part for part in shared})


@dataclass(frozen=True)
class Trial:
    """A component with values for some of its options.

    Args:
        name: Display name: "lora(targets=('q',))".
        settings: Settings that choose the component and its options.
    """

    name: str
    settings: Mapping[str, Any]


def trials(component: Component) -> Iterator[Trial]:
    """Yields a trial for each of a component's examples."""
    spec = component.spec
    for example in spec.examples:
        shown = ",".join(f"{name}={value}" for name, value in example.items())
        options = {f"{spec.kind}.{name}": value for name, value in example.items()}
        yield Trial(spec.name + (f"({shown})" if shown else ""), {spec.kind: spec.name, **options})


def folder() -> tempfile.TemporaryDirectory[str]:
    """Returns a temporary folder."""
    return tempfile.TemporaryDirectory(prefix="ltbench-check-")


def context(
    counts: tuple[int, ...], width: int = 16, logit_scale: float | None = None
) -> BuildContext:
    """Returns a build context with the given class counts."""
    return BuildContext(
        num_classes=len(counts),
        class_counts=counts,
        class_names=tuple(f"class {index}" for index in range(len(counts))),
        width=width,
        resolution=_SIDE,
        logit_scale=logit_scale,
        epochs=5,
        seed=0,
        device="cpu",
    )


def images_of(built: BuiltRun, count: int = 4) -> torch.Tensor:
    """Returns test images as uint8 input of the model, (count, 3, R, R)."""
    batches = built.evaluation_batches("test")
    (batch,) = batches.of([(0, np.arange(count))])
    return batch.views[:, 0]


def start_training(built: BuiltRun, lr: float = 0.01) -> TrainState:
    """Returns the state before the first step, in float32."""
    optimizer = built.optimizer(built.model.learned(), lr)
    set_learning_rate(optimizer, lr)
    return TrainState.start(optimizer, asked_for("fp32", torch.device("cpu")))


def take_steps(built: BuiltRun, steps: int, state: TrainState | None = None) -> None:
    """Trains on a batch of training images for some steps.

    Args:
        built: The built parts of a run.
        steps: Number of steps.
        state: State to go on from; None: that before the first step.
    """
    state = start_training(built) if state is None else state
    built.model.training_mode()
    built.loss.start_epoch(0.0)
    (part,) = next(image_loader(built, 0, 1).epoch(0, 8))
    for _ in range(steps):
        built.loss(built.model(part.inputs), part.targets).backward()
        state.optimizer.step()
        state.optimizer.zero_grad()
    built.model.eval()
