"""A run from its spec to its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from torch import nn

from ltbench.config.resolve import Resolved
from ltbench.config.runspec import RunSpec
from ltbench.data.images import image_names
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.agreement import expect_same_run
from ltbench.engine.building.builder import build_run
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.environment import (
    describe_environment,
    peak_memory_mb,
)
from ltbench.engine.evaluate import evaluate
from ltbench.engine.memory import memory_explained
from ltbench.engine.model.devices import choose_device
from ltbench.engine.observers import Observers
from ltbench.engine.recorded_failure import failure_recorded
from ltbench.engine.stored_model import rebuild_run, save_frozen
from ltbench.engine.tracking import ChosenTracker
from ltbench.engine.training.checkpoint import TrainState, copies, save_learned
from ltbench.engine.training.refinement import refine
from ltbench.engine.training.selection import Validation, describe_selection
from ltbench.engine.training.train_loader import image_loader
from ltbench.engine.training.trainer import Trainer
from ltbench.errors import (
    Stopped,
)
from ltbench.io.array_cache import NO_CACHE, Cache
from ltbench.io.gc import gc_paused
from ltbench.io.interrupts import check, deferred, result_stored
from ltbench.progress import ProgressReporter
from ltbench.ranks.group import SINGLE, Group
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.registry import Registry
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import (
    Classes,
    EvaluationRecord,
    LearnedParameters,
    Metrics,
    RunDescription,
    RunResult,
    SelectionRecord,
    TrainingRecord,
)
from ltbench.storage.run_directory import Overwrite, RunDirectory, stored_result

StopAfter = Callable[[Sequence[Mapping[str, Any]]], bool]
"""Reads the rows of the epochs so far, and returns whether the training ends here."""


@dataclass(frozen=True)
class RuntimeConfig:
    """Settings of the execution; none of them is part of a run's hash.

    Args:
        out: Folder of the run directories.
        device: "auto", "cpu", "cuda", "cuda:1", ...
        workers: Number of loader workers; None: as many as keep up with the model.
        cache: Array cache that the runs of a folder share.
        command_id: Text that a command gives all its requests, so that a process which is started
            again for the same request continues; empty for none.
        group: Processes that execute the run together.
    """

    out: Path
    device: str
    workers: int | None
    cache: Cache = NO_CACHE
    command_id: str = ""
    group: Group = SINGLE

    @classmethod
    def of_stored(
        cls,
        run: RunResult,
        device: str,
        workers: int | None,
        cache: float,
        group: Group = SINGLE,
        cache_dir: Path | None = None,
    ) -> Self:
        """Returns the settings for more work on a stored run, which finds the cache of its folder.

        Args:
            run: Stored result.
            device: Name of the device.
            workers: Number of loader workers; None to measure it.
            cache: Size of the cache in gigabytes.
            group: Processes that do the work together.
            cache_dir: Folder of the cache; None for the default.
        """
        folder = RunDirectory(run.path).out(run.spec)
        return cls(Path(), device, workers, Cache.of(folder, cache, cache_dir), group=group)

    def loader_config(self, spec: RunSpec) -> LoaderConfig:
        """Returns the configuration of the data loaders of a run.

        Raises:
            ConfigError: The device does not exist.
        """
        device = choose_device(self.device)
        return LoaderConfig(device, self.workers, spec.on_corrupt == "skip", self.cache, self.group)


def execute(
    resolved: Resolved,
    registry: Registry,
    runtime: RuntimeConfig,
    overwrite: Overwrite,
    progress: ProgressReporter,
    trackers: Sequence[ChosenTracker] = (),
    stop_after: StopAfter | None = None,
) -> RunResult:
    """Runs what is not done yet, resumes what was interrupted, and returns the result.

    Args:
        resolved: Choices of the run.
        registry: Registry of the plugins that are notified.
        runtime: Settings of the execution.
        overwrite: Earlier runs that are executed again: none, failed ones, or all. What an earlier
            attempt for the same request has done is continued.
        progress: Progress reporter.
        trackers: Trackers that are notified besides the plugins, unless the run is done already.
        stop_after: Called after each epoch but the last, and before a resumed training.

    Raises:
        Stopped: `stop_after` returned True; the checkpoints are kept.
        LTBenchError: The run could not be finished; its checkpoints are kept.
    """
    directory = RunDirectory.of(runtime.out, resolved.spec)
    group = runtime.group
    with ExitStack() as stack:
        stack.enter_context(group.agreed())
        expect_same_run(resolved.spec, group)
        if group.holds_lock:
            stack.enter_context(directory.lock(runtime.out, runtime.command_id))
        if overwrite == "always" and directory.is_continued(runtime.command_id):
            overwrite = "failed"
        overwrite = group.broadcast(overwrite)
        done = stored_result(directory, overwrite) if group.leads else None
        if group.broadcast(done is not None):
            return done or directory.finished()
        spec = resolved.spec
        notified = trackers if group.leads else ()
        hooks = {tracker.name: tracker.build(resolved, directory) for tracker in notified}
        observers = Observers(registry, hooks, spec.to_dict(), progress)
        loader_config = runtime.loader_config(spec)
        known = None if overwrite == "always" else directory.resumed_precision()
        resumed_precision = group.broadcast(known)
        progress.note(f"loading {spec.dataset.title} and {spec.backbone.name}")
        with memory_explained(), gc_paused():  # libraries are imported
            built = build_run(resolved, loader_config, resumed_precision, progress)
        for warning in built.warnings:
            progress.note(f"warning: {warning}")
        if overwrite == "always":  # not before it is known that the run can begin
            group.lead(directory.clear)
        group.lead(directory.begin, RunDescription.of(spec))
        if group.leads:
            directory = directory.start_attempt(runtime.command_id)
        components = resolved.components.values()
        recorded = failure_recorded(directory, resolved, observers, group)
        agreed = group.agreed()  # before an error is recorded: all processes have the same one
        with recorded, agreed, attribute_errors(*components), memory_explained():
            return _run(resolved, observers, directory, built, progress, stop_after)


def _run(
    resolved: Resolved,
    observers: Observers,
    directory: RunDirectory,
    built: BuiltRun,
    progress: ProgressReporter,
    stop_after: StopAfter | None,
) -> RunResult:
    spec = resolved.spec
    group = built.loader_config.group
    plugins = [choice.plugin for choice in spec.choices().values()]
    device = built.loader_config.device
    environment = describe_environment(device, built.policy, plugins, built.fingerprint, group)
    group.lead(directory.write, environment)
    resumes = directory.checkpoint("training").exists()
    group.lead(observers.start, directory.path, directory.history() if resumes else [])

    if built.dataset.held_out:
        progress.note(f"held out of the training split: {built.dataset.held_out:,} images")
    trainer = Trainer(built, directory, progress)
    group.synchronise(built.model.learned().values())
    start = {} if built.refinement is None else copies(built.model.learned())
    training, selection = _train(spec, trainer, observers, stop_after)
    refinement, refined = refine(spec, resolved.components["refinement"], trainer, start)
    group.synchronise(built.model.learned().values())
    directory.expect_own_attempt()
    group.lead(save_learned, built.model, directory.learned, spec.hash)
    group.lead(save_frozen, built, directory.frozen, spec.hash)

    predictions, evaluation = predict(resolved, directory, spec, built, progress)
    result = RunResult(
        hash=spec.hash,
        run=spec,
        metrics=Metrics.of(predictions, built.dataset.shot_counts),
        classes=Classes(
            names=list(built.dataset.class_names),
            train_images=built.dataset.shot_counts.tolist(),
            trained_on=built.dataset.class_counts.tolist(),
        ),
        learned=count_learned(built, refined),
        training=training,
        selection=selection,
        refinement=refinement,
        evaluation=evaluation,
        environment=environment,
        warnings=built.warnings,
        peak_memory_mb=max(group.collect(peak_memory_mb(device))),
        silenced_plugins=observers.silenced,
        directory=str(directory.path),
    )
    directory.expect_own_attempt()
    check()
    group.some(False)  # from here on, the run of all is finished rather than interrupted
    group.lead(observers.end, result.to_dict())
    # An observer may have been silenced by the notification of the end.
    result = result.model_copy(update={"silenced_plugins": dict(observers.silenced)})
    group.lead(directory.write, result)
    result_stored()
    group.lead(directory.drop_checkpoint)
    return result


def _train(
    spec: RunSpec, trainer: Trainer, observers: Observers, stop_after: StopAfter | None
) -> tuple[TrainingRecord, SelectionRecord]:
    """Trains the model; returns the records of the training and of the kept epoch."""
    built, directory = trainer.built, trainer.directory
    group = built.loader_config.group
    if spec.train.epochs == 0 or not built.model.learned():
        skipped = built.dataset.unreadable
        idle = TrainingRecord(epochs=0, seconds=0.0, images_per_second=None, skipped_images=skipped)
        return idle, describe_selection(spec, built.dataset, [])

    def tell(state: TrainState) -> None:
        group.lead(directory.write_history, state.history)
        group.lead(observers.epochs, state.history)
        done, epochs = state.epoch, spec.train.epochs
        if stop_after is not None and done < epochs and stop_after(list(state.history)):
            hint = "the same run resumes after this epoch"
            raise Stopped(f"stopped after {done} of {epochs} epochs", hint=hint)

    loader = image_loader(built, spec.seed, spec.train.epochs)
    validation = Validation(built, evaluate, trainer.progress) if spec.select == "val" else None
    state = trainer.fit("training", loader, spec.train, tell, validation)
    seconds = sum(row["seconds"] for row in state.history)
    training = TrainingRecord(
        epochs=state.epoch,
        seconds=seconds,
        images_per_second=len(loader) * state.epoch / seconds,
        skipped_images=len(loader.skipped) + built.dataset.unreadable,
    )
    return training, describe_selection(spec, built.dataset, state.history)


def predict(
    resolved: Resolved,
    directory: RunDirectory,
    own: RunSpec,
    built: BuiltRun,
    progress: ProgressReporter,
    *,
    train: bool = False,
) -> tuple[Predictions, EvaluationRecord]:
    """Evaluates a model and stores its predictions; returns them and the evaluation's record.

    Args:
        resolved: Choices of the evaluation.
        directory: Run directory.
        own: Choices of the run, whose inference may be another one.
        built: Built parts with the trained model.
        progress: Progress reporter.
        train: Whether the training images are evaluated, instead of the split of the run.
    """
    spec = resolved.spec
    split = "train" if train else spec.split
    start = time.perf_counter()
    batches = built.evaluation_batches(split)
    predictions = evaluate(built, batches, progress)
    seconds = time.perf_counter() - start
    about = {"hash": own.hash, "inference": spec.inference.name, "split": split}
    path = directory.predictions(spec.inference, own.inference, train=train)
    names = image_names(built.dataset.splits[split].images, predictions.indices)
    directory.expect_own_attempt()
    built.loader_config.group.lead(predictions.write, path, about, names)
    return predictions, EvaluationRecord(
        inference=spec.inference.name,
        split=spec.split,
        seconds=seconds,
        images_per_second=len(predictions.labels) / seconds,
        skipped_images=len(batches.skipped),
    )


def evaluate_again(
    resolved: Resolved,
    directory: RunDirectory,
    runtime: RuntimeConfig,
    progress: ProgressReporter,
    *,
    train: bool = False,
) -> Predictions:
    """Evaluates the stored model of a finished run, stores the predictions and returns them.

    Args:
        resolved: Choices of the run; its inference may be another one.
        directory: Run directory.
        runtime: Settings of the execution.
        progress: Progress reporter.
        train: Whether the training images are evaluated, instead of the split of the run.

    Raises:
        DataError: The run's weights are missing or damaged, or a component that the model is made
            of has another definition now.
    """
    loader_config = runtime.loader_config(resolved.spec)
    own = directory.spec()
    agreed = runtime.group.agreed()
    with agreed, attribute_errors(*resolved.components.values()), memory_explained():
        split = "train" if train else own.split
        built = rebuild_run(resolved, directory, loader_config, progress, split)
        with deferred():
            predictions, _ = predict(resolved, directory, own, built, progress, train=train)
    return predictions


def count_learned(built: BuiltRun, refined: Sequence[nn.Parameter] = ()) -> LearnedParameters:
    """Returns the number of learned parameters, and their percentage of the backbone's.

    Args:
        built: Built parts of the run.
        refined: Parameters that the refinement trained. Those that are not in the model any more do
            not count.
    """
    by_refinement = {id(parameter) for parameter in refined}
    learned = {
        name: p
        for name, p in built.model.named_parameters()
        if p.requires_grad or id(p) in by_refinement
    }
    head = sum(p.numel() for name, p in learned.items() if name.startswith("head."))
    total = sum(p.numel() for p in learned.values())
    # Of the backbone as it was: what the method added does not count as backbone.
    backbone = built.backbone_parameters
    return LearnedParameters(
        total=total,
        encoder=total - head,
        head=head,
        backbone=backbone,
        percent=100 * total / backbone,
    )
