"""`ltbench eval`: evaluation of a finished run with other views, shot groups or images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from ltbench.cli.completion import complete_name_of
from ltbench.cli.options import (
    CacheFolder,
    CacheSize,
    DataRoot,
    Device,
    FinishedRun,
    Json,
    Set,
    Workers,
    read_assignments,
)
from ltbench.cli.rank_options import Gpus, Processes, Ranks, shown
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DATA_ROOT
from ltbench.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from ltbench.config.runspec import Choice
    from ltbench.specs import Settings
    from ltbench.storage.predictions import PredictedClasses, Predictions
    from ltbench.storage.result_schema import RunResult
    from ltbench.storage.run_directory import RunDirectory


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
    ranks: Ranks = None,
    gpus: Gpus = None,
    workers: Workers = None,
    cache: CacheSize = DEFAULT_CACHE_GB,
    cache_dir: CacheFolder = None,
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

    processes = Processes.of(ranks, gpus, device)
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
    joins = processes.place is not None  # the ranks decide together what is computed
    if None in found or choice is None or joins:
        from ltbench.engine.stored_choices import resolve_stored

        resolved = resolve_stored(result.spec, changes, data_root, inference, faults)
        choice = resolved.spec.inference
        found = _stored(result, directory, choice, train=split == "train")
        if processes.start and None in found:
            directory.expect_writable()
            raise typer.Exit(processes.run())
        if None in found or joins:
            directory.expect_writable()
            with processes.joined() as (group, own_device), shown(group) as progress:
                from ltbench.engine.run import RuntimeConfig, evaluate_again

                runtime = RuntimeConfig.of_stored(
                    result, own_device, workers, cache, group, cache_dir
                )
                missing = group.broadcast([read is None for read in found])
                found = [
                    evaluate_again(resolved, directory, runtime, progress, train=bool(place))
                    if gone
                    else read
                    for place, (gone, read) in enumerate(zip(missing, found, strict=True))
                ]
            if not group.leads:
                return
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
