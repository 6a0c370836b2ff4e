"""Every hook of ltbench. A plugin implements those it needs, marked with `ltbench.hookimpl`.

Registration hooks are called once, when plugins are loaded, and return any number of specs, or
their places.
Notifications are called during a run. Their return values are ignored. One that raises is silenced
for the rest of the run, and the result records it. Notifications in a plugin's module are called in
every run, those of a tracker in the runs that `--tracker` names it for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pluggy

from ltbench.errors import LTBenchError
from ltbench.late import LateSpec
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
def ltbench_register_datasets() -> Iterable[DatasetSpec | LateSpec]:  # type: ignore[empty-body]
    """Data sets: an index with splits, class names and access to images."""


@hookspec
def ltbench_register_backbones() -> Iterable[BackboneSpec | LateSpec]:  # type: ignore[empty-body]
    """Backbones: pretrained image encoders, with a text tower where they have one."""


@hookspec
def ltbench_register_methods() -> Iterable[MethodSpec | LateSpec]:  # type: ignore[empty-body]
    """Methods: the learned parameters of the image encoder, and the recipe to train them."""


@hookspec
def ltbench_register_heads() -> Iterable[HeadSpec | LateSpec]:  # type: ignore[empty-body]
    """Heads: modules from features to logits."""


@hookspec
def ltbench_register_inits() -> Iterable[InitSpec | LateSpec]:  # type: ignore[empty-body]
    """Initialisations: the first weight of a head."""


@hookspec
def ltbench_register_losses() -> Iterable[LossSpec | LateSpec]:  # type: ignore[empty-body]
    """Losses: from logits and labels to a scalar."""


@hookspec
def ltbench_register_samplings() -> Iterable[SamplingSpec | LateSpec]:  # type: ignore[empty-body]
    """Samplings: the frequency of each class in an epoch."""


@hookspec
def ltbench_register_augmentations() -> Iterable[AugmentationSpec | LateSpec]:  # type: ignore[empty-body]
    """Augmentations: the views of training images."""


@hookspec
def ltbench_register_optimizers() -> Iterable[OptimizerSpec | LateSpec]:  # type: ignore[empty-body]
    """Optimizers: the update rules of the learned parameters."""


@hookspec
def ltbench_register_schedules() -> Iterable[ScheduleSpec | LateSpec]:  # type: ignore[empty-body]
    """Schedules: the learning rate in the course of the training."""


@hookspec
def ltbench_register_refinements() -> Iterable[RefinementSpec | LateSpec]:  # type: ignore[empty-body]
    """Refinements: second stages, which change the trained model before it is evaluated."""


@hookspec
def ltbench_register_inferences() -> Iterable[InferenceSpec | LateSpec]:  # type: ignore[empty-body]
    """Inferences: the views of test images, and the reduction of their logits."""


@hookspec
def ltbench_register_executors() -> Iterable[ExecutorSpec | LateSpec]:  # type: ignore[empty-body]
    """Executors: places where the runs of a grid are run."""


@hookspec
def ltbench_register_trackers() -> Iterable[TrackerSpec | LateSpec]:  # type: ignore[empty-body]
    """Trackers: receivers of a run's notifications."""


@hookspec
def ltbench_published_results() -> Iterable[PublishedResult]:  # type: ignore[empty-body]
    """Published results: numbers of papers, for leaderboards and `ltbench reproduce`."""


@hookspec
def ltbench_grid_folders() -> Iterable[Path]:  # type: ignore[empty-body]
    """Folders of the grid files that come with a plugin.

    `ltbench grid run NAME` finds them by name: the path below the folder, without `.toml`, such as
    `digits/methods`.
    """


@hookspec
def ltbench_on_run_start(
    run: Mapping[str, Any], directory: Path, history: Sequence[Mapping[str, float]]
) -> None:
    """A run starts or resumes; `run` is its resolved spec, as in `spec.json`.

    `history` has the metrics of the epochs before an interruption or failure, which are not
    notified again; it is empty for a run from the beginning.
    """


@hookspec
def ltbench_on_epoch_end(run: Mapping[str, Any], epoch: int, metrics: Mapping[str, float]) -> None:
    """Epoch `epoch` (from 0) has ended; `metrics` has loss, lr, images_per_second and seconds.

    The learning rate `lr` is that of the epoch's first step. Where an epoch is selected on val, the
    metrics have val_mean_class, val_seconds and val_skipped_images too.
    """


@hookspec
def ltbench_on_run_end(run: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """A run has finished; `result` is the content of `result.json`."""


@hookspec
def ltbench_on_run_failure(run: Mapping[str, Any], error: LTBenchError) -> None:
    """A run that had started has failed, or was interrupted.

    For an interruption `error` is an `ltbench.errors.Interrupted`, and the same command resumes the
    run. A process that is killed sends no notification.
    """
