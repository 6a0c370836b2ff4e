"""`ltbench eval`: evaluation of a finished run with other views, shot groups or images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from ltbench.cli.completion import complete_name_of
from ltbench.cli.options import (
    CacheSize,
    DataRoot,
    Device,
    FinishedRun,
    Json,
    Set,
    Workers,
    read_assignments,
)
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DATA_ROOT
from ltbench.errors import ConfigError, DataError, UnknownNameError

if TYPE_CHECKING:
    from ltbench.config.resolve import Resolved
    from ltbench.config.runspec import Choice, RunSpec
    from ltbench.specs import Settings
    from ltbench.storage.predictions import PredictedClasses, Predictions
    from ltbench.storage.result_schema import RunResult
    from ltbench.storage.run_directory import RunDirectory

_REREAD_KINDS = ("dataset", "backbone")
"""Kinds whose files an evaluation reads again."""


def evaluate(
    run: FinishedRun,
    inference: Annotated[
        str | None,
        typer.Option(
            help="Test views instead of the run's own.",
            metavar="NAME",
            autocompletion=complete_name_of("inference"),
        ),
    ] = None,
    assignments: Set = None,
    shot_rule: Annotated[
        Literal["exclusive", "inclusive"],
        typer.Option(
            help="Shot groups: exclusive is >100, 20-100, <20 training images; inclusive is "
            ">=100, 21-99, <=20, as in older code."
        ),
    ] = "exclusive",
    split: Annotated[
        Literal["test", "val", "train"] | None,
        typer.Option(
            help="train: also evaluate the training images, without augmentation, and show their "
            "accuracies beside those of the run's split. Default: the run's split.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    device: Device = "auto",
    workers: Workers = None,
    cache: CacheSize = DEFAULT_CACHE_GB,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Evaluate a finished run again: other views, another shot rule, the training images.

    Metrics are computed from stored predictions, for which neither data nor weights are needed.
    The model runs only for views without stored predictions, which are then added to the run
    directory. Where data or weights have moved, give their place with --set dataset.path=PLACE (or
    another option that is a path) or --data-root: they must be those of the run.

    Accuracies on the training images (--split train) show overfitting: a method that fits the few
    images of rare classes perfectly, and fails on their test images.

    Example: `ltbench eval runs/digits_lt/clip_tiny/lift_plus/0123456789ab --inference center`

    Example: `ltbench eval 0123 --split train`
    """
    import numpy as np

    from ltbench.analysis.metrics import SHOT_RULES, accuracies
    from ltbench.cli.evaluate_output import print_beside_train
    from ltbench.cli.output import print_metrics
    from ltbench.storage.result_schema import Metrics
    from ltbench.storage.run_directory import RunDirectory

    directory = RunDirectory(run)
    result = directory.finished()
    own = result.spec.inference
    changes, faults = read_assignments(assignments)
    if split not in (None, "train", result.spec.split):
        raise ConfigError(
            f"--split: the run was evaluated on {result.spec.split}, not on {split}",
            hint=f"leave it out, or start another run with --split {split}",
        )
    choice: Choice | None = own
    if changes or faults or inference not in (None, own.name):
        choice = None if faults else _inference(own, inference or own.name, changes)
    found = [] if choice is None else _stored(result, directory, choice, train=split == "train")
    if None in found or choice is None:
        from ltbench.engine.progress_bar import show_progress
        from ltbench.io.array_cache import Cache

        resolved = _resolve(result.spec, inference, changes, faults, data_root)
        choice = resolved.spec.inference
        found = _stored(result, directory, choice, train=split == "train")
        if None in found:
            directory.expect_writable()
            kept = Cache.of(directory.out(result.spec), cache)
            with show_progress() as progress:
                from ltbench.engine.run import RuntimeConfig, evaluate_again

                runtime = RuntimeConfig(Path(), device, workers, kept)
                found = [
                    evaluate_again(resolved, directory, runtime, progress, train=bool(place))
                    if read is None
                    else read
                    for place, read in enumerate(found)
                ]
    predictions, *trained = found
    counts = np.array(result.classes.train_images)
    rule = SHOT_RULES[shot_rule]
    metrics = Metrics.of(cast("Predictions", predictions), counts, rule)
    if not trained:
        print_metrics(metrics, result.spec, choice, json=json)
        return
    seen = cast("Predictions", trained[0])
    train, _ = accuracies(seen.labels, seen.predicted, counts, rule)
    print_beside_train(metrics, train, len(seen.labels), result.spec, choice, json=json)


def _stored(
    result: RunResult, directory: RunDirectory, choice: Choice, *, train: bool
) -> list[Predictions | PredictedClasses | None]:
    """Returns the stored predictions of an inference; None where they are to be computed.

    Args:
        result: Result of the run.
        directory: Run directory.
        choice: The inference.
        train: Whether those of the training images are the second entry.

    Raises:
        DataError: They are damaged, or of another run.
    """
    from ltbench.storage.train_predictions import read_train_predictions

    path = directory.predictions(choice, result.spec.inference)
    name = path.stem.removeprefix("predictions-")
    own = result.predictions(name) if path.exists() else None
    return [own, read_train_predictions(result, name)] if train else [own]


def _inference(own: Choice, name: str, changes: Settings) -> Choice | None:
    """Returns an inference with its options, without the run's other components.

    Args:
        own: Inference of the run, whose options hold where the name is the same.
        name: Name of the inference.
        changes: Settings by key.

    Returns:
        The choice; None where another key than `inference.*` is set, or the options are not valid.

    Raises:
        UnknownNameError: No plugin has such an inference.
    """
    from ltbench.config.chosen_inference import choose_inference
    from ltbench.registry.load import load_plugins

    if not all(key.startswith("inference.") for key in changes):
        return None
    options = {key.removeprefix("inference."): value for key, value in changes.items()}
    try:
        return choose_inference(load_plugins(), own, name, options).choice
    except UnknownNameError:
        raise
    except ConfigError:  # reported with all other faults when the run is resolved
        return None


def _resolve(
    stored: RunSpec,
    inference: str | None,
    changes: Settings,
    faults: Sequence[str],
    data_root: Path,
) -> Resolved:
    """Resolves a stored run with changes, and checks that data and weights are those of the run.

    Args:
        stored: The run.
        inference: Name of another inference; the run's own where None.
        changes: Settings by key: options of the inference, and paths of data and weights.
        faults: Faults of the command line that are known already.
        data_root: Folder of the data sets.

    Raises:
        ConfigError: Another key is set, or a value is not valid.
        DataError: Data or weights are missing, or are not those of the run.
    """
    from ltbench.config.options import path_options
    from ltbench.config.resolve import resolve, settings_of
    from ltbench.engine.late_progress import LateProgress
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    places = [
        f"{kind}.{name}"
        for kind in _REREAD_KINDS
        for name in path_options(registry.find(kind, stored.choices()[kind].name).spec.config)
    ]
    wrong = [
        f"{key}: an evaluation can only change inference.*, and where data or weights lie "
        f"({', '.join(sorted(places)) or 'this run has no such option'}); start another run for it"
        for key in changes
        if not key.startswith("inference.") and key not in places
    ]
    settings = settings_of(stored)
    if inference is not None and inference != stored.inference.name:
        settings = {k: v for k, v in settings.items() if not k.startswith("inference.")}
        settings["inference"] = inference
    late = LateProgress()
    try:
        # Not the init: the head's weights are stored, and the file that made the first may be gone.
        resolved = resolve(
            registry,
            settings | dict(changes),
            data_root,
            [*faults, *wrong],
            identify=_REREAD_KINDS,
            progress=late,
        )
    except DataError as error:
        raise _moved(error, stored, places) from error
    _expect_same(resolved.spec, stored, places)
    return resolved


def _expect_same(now: RunSpec, stored: RunSpec, places: Sequence[str]) -> None:
    """Checks that data set and weights are those of the run.

    Raises:
        DataError: The identity of one differs.
    """
    for kind in _REREAD_KINDS:
        one, other = now.choices()[kind], stored.choices()[kind]
        if one.identity != other.identity:
            raise DataError(
                f"{kind} '{one.name}' is not what the run used: expected {other.identity}, got "
                f"{one.identity}",
                hint=f"{_where(stored, places)}; a run of an older ltbench, whose identities were "
                "made otherwise, has to be run again",
            )


def _moved(error: DataError, stored: RunSpec, places: Sequence[str]) -> DataError:
    """Returns an error about missing data or weights with a hint about their place."""
    hint = f"{error.hint}; {_where(stored, places)}" if error.hint else _where(stored, places)
    return DataError(error.message, hint=hint)


def _where(stored: RunSpec, places: Sequence[str]) -> str:
    """Returns the options that set the places of the data and weights of a run."""
    then = [
        f"--set {kind}.{name}=PLACE, where it was {path}"
        for kind in _REREAD_KINDS
        for name, path in stored.choices()[kind].paths.items()
        if f"{kind}.{name}" in places
    ]
    return f"if they moved, add {' or '.join([*then, '--data-root FOLDER'])}"
