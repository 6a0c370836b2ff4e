"""Every hook of ltbench. A plugin implements those it needs, marked with `ltbench.hookimpl`.

Registration hooks are called once, when plugins are loaded, and return any number of specs.
Notifications are called during a run; what they return is ignored, and one that raises is silenced
for the rest of the run and recorded in its result. Those of a plugin's module are called in every
run; those of an object that a tracker builds in the runs that `--tracker` follows with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pluggy

from ltbench.errors import LTBenchError
from ltbench.published import PublishedResult
from ltbench.specs import (
    AugmentationSpec,
    BackboneSpec,
    DatasetSpec,
    ExecutorSpec,
    HeadSpec,
    InferenceSpec,
    InitSpec,
    LossSpec,
    MethodSpec,
    OptimizerSpec,
    RefinementSpec,
    SamplingSpec,
    ScheduleSpec,
    TrackerSpec,
)

PROJECT = "ltbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ltbench_register_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Data sets: an index with splits, class names and access to images."""


@hookspec
def ltbench_register_backbones() -> Iterable[BackboneSpec]:  # type: ignore[empty-body]
    """Backbones: pretrained image encoders, with a text tower where they have one."""


@hookspec
def ltbench_register_methods() -> Iterable[MethodSpec]:  # type: ignore[empty-body]
    """Methods: which parameters of the image encoder are learned, and the recipe to do it."""


@hookspec
def ltbench_register_heads() -> Iterable[HeadSpec]:  # type: ignore[empty-body]
    """Heads: modules from features to logits."""


@hookspec
def ltbench_register_inits() -> Iterable[InitSpec]:  # type: ignore[empty-body]
    """Initialisations: the weight that a head starts from."""


@hookspec
def ltbench_register_losses() -> Iterable[LossSpec]:  # type: ignore[empty-body]
    """Losses: from logits and labels to a scalar."""


@hookspec
def ltbench_register_samplings() -> Iterable[SamplingSpec]:  # type: ignore[empty-body]
    """Samplings: how often the images of each class are seen in an epoch."""


@hookspec
def ltbench_register_augmentations() -> Iterable[AugmentationSpec]:  # type: ignore[empty-body]
    """Augmentations: which part of a training image is seen in an epoch."""


@hookspec
def ltbench_register_optimizers() -> Iterable[OptimizerSpec]:  # type: ignore[empty-body]
    """Optimizers: the update rules of the learned parameters."""


@hookspec
def ltbench_register_schedules() -> Iterable[ScheduleSpec]:  # type: ignore[empty-body]
    """Schedules: the learning rate in the course of the training."""


@hookspec
def ltbench_register_refinements() -> Iterable[RefinementSpec]:  # type: ignore[empty-body]
    """Refinements: what is done to the trained model before it is evaluated."""


@hookspec
def ltbench_register_inferences() -> Iterable[InferenceSpec]:  # type: ignore[empty-body]
    """Inferences: which views of a test image are seen, and how their logits become one."""


@hookspec
def ltbench_register_executors() -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]
    """Executors: where the runs of a grid are run."""


@hookspec
def ltbench_register_trackers() -> Iterable[TrackerSpec]:  # type: ignore[empty-body]
    """Trackers: who is told how a run gets on."""


@hookspec
def ltbench_published_results() -> Iterable[PublishedResult]:  # type: ignore[empty-body]
    """Published results: numbers of papers, for leaderboards and `ltbench reproduce`."""


@hookspec
def ltbench_grid_folders() -> Iterable[Path]:  # type: ignore[empty-body]
    """Grid files that come with a plugin: the folders that they are in.

    `ltbench grid run NAME` finds them by name: the path below the folder, without `.toml`, such as
    `digits/methods`.
    """


@hookspec
def ltbench_on_run_start(
    run: Mapping[str, Any], directory: Path, history: Sequence[Mapping[str, float]]
) -> None:
    """A run starts, or goes on; `run` is its resolved spec, as in `spec.json`.

    `history` has the metrics of the epochs of an interrupted or failed try that the run goes on
    from, of which nobody is told again; it is empty where the run starts from nothing.
    """


@hookspec
def ltbench_on_epoch_end(run: Mapping[str, Any], epoch: int, metrics: Mapping[str, float]) -> None:
    """Epoch `epoch` (from 0) has ended; `metrics` has loss, lr, images_per_second and seconds.

    Where an epoch is selected on val, also val_mean_class, val_seconds and val_skipped_images.
    """


@hookspec
def ltbench_on_run_end(run: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """A run has ended well; `result` is what `result.json` holds."""


@hookspec
def ltbench_on_run_failure(run: Mapping[str, Any], error: LTBenchError) -> None:
    """A run that had started has failed, or was interrupted.

    `error` is an `ltbench.errors.Interrupted` where it was, and the next try goes on from there.
    A process that is killed tells nobody.
    """
