"""`ltbench eval`: looks at a finished run again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ltbench.cli.options import CacheSize, DataRoot, Device, Json, Set, Workers, read_assignments
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DATA_ROOT
from ltbench.errors import DataError

if TYPE_CHECKING:
    from ltbench.config.runspec import RunSpec


def evaluate(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.")],
    inference: Annotated[
        str | None, typer.Option(help="Test views instead of the run's own.", metavar="NAME")
    ] = None,
    assignments: Set = None,
    shot_rule: Annotated[
        Literal["exclusive", "inclusive"],
        typer.Option(
            help="Shot groups: exclusive is >100, 20-100, <20 training images; inclusive is "
            ">=100, 21-99, <=20, as in older code."
        ),
    ] = "exclusive",
    json: Json = False,
    device: Device = "auto",
    workers: Workers = None,
    cache: CacheSize = DEFAULT_CACHE_GB,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Evaluate a finished run again, with other views or another shot rule.

    Numbers come from stored predictions; the model runs only for views that it has not seen yet,
    whose predictions are then stored beside the run's. Where data or weights have moved since,
    --set dataset.path=PLACE (or another option that is a path) says so: they must be the same ones.

    Example: `ltbench eval runs/digits_lt/clip_tiny/lift_plus/0123456789ab --inference center`
    """
    import numpy as np

    from ltbench.analysis.metrics import SHOT_RULES, compute_metrics
    from ltbench.config.options import path_options
    from ltbench.config.resolve import resolve, settings_of
    from ltbench.engine.late_progress import LateProgress
    from ltbench.registry.load import load_plugins
    from ltbench.storage.results import Run
    from ltbench.storage.run_directory import RunDirectory

    directory = RunDirectory(run)
    stored = directory.spec()
    result = directory.result()
    if result is None:
        failed = directory.failure() is not None
        raise DataError(
            f"{run} {'has failed' if failed else 'is not finished'}",
            hint="run the same `ltbench run` command again"
            + (" with --overwrite failed" if failed else ""),
        )
    registry = load_plugins()
    changes, faults = read_assignments(assignments)
    places = [
        f"{kind}.{name}"
        for kind in ("dataset", "backbone")
        for name in path_options(registry.find(kind, stored.choices()[kind].name).spec.config)
    ]
    faults += [
        f"{key}: an evaluation can only change inference.*, and where data or weights lie "
        f"({', '.join(sorted(places)) or 'this run has no such option'}); start another run for it"
        for key in changes
        if not key.startswith("inference.") and key not in places
    ]
    settings = settings_of(stored)
    if inference is not None and inference != stored.inference.name:
        settings = {k: v for k, v in settings.items() if not k.startswith("inference.")}
        settings["inference"] = inference
    resolved = resolve(registry, settings | changes, data_root, faults, identify=False)
    path = directory.predictions(resolved.spec.inference, stored.inference)
    if not path.exists() or changes.keys() & set(places):  # stored numbers need no data
        try:
            resolved = resolve(registry, settings | changes, data_root, progress=LateProgress())
        except DataError as error:
            raise _moved(error, stored, places) from error
        _expect_same(resolved.spec, stored, places)
    if path.exists():
        predictions = Run(run, result).predictions(path.stem.removeprefix("predictions-"))
    else:
        from ltbench.engine.progress_bar import show_progress
        from ltbench.engine.run import RuntimeConfig, evaluate_again
        from ltbench.io.array_cache import Cache

        runtime = RuntimeConfig(Path(), device, workers, Cache.of(directory.out(stored), cache))
        with show_progress() as progress:
            predictions = evaluate_again(resolved, directory, runtime, progress)
    counts = np.array(result["classes"]["train_images"])
    if max(predictions.labels.max(), predictions.classes.max()) >= len(counts):
        raise DataError(f"{path} is of other classes", hint="delete the file")
    metrics = compute_metrics(predictions, counts, SHOT_RULES[shot_rule])

    from ltbench.cli.output import print_metrics

    print_metrics(metrics, resolved.spec, json=json)


def _expect_same(now: RunSpec, stored: RunSpec, places: Sequence[str]) -> None:
    """Raises a `DataError` where data set or weights are not those of the run."""
    for kind in ("dataset", "backbone"):
        one, other = now.choices()[kind], stored.choices()[kind]
        if one.identity != other.identity:
            raise DataError(
                f"{kind} '{one.name}' is not what the run used: expected {other.identity}, got "
                f"{one.identity}",
                hint=f"{_where(stored, places)}; a run of an older ltbench, whose identities were "
                "made otherwise, has to be run again",
            )


def _moved(error: DataError, stored: RunSpec, places: Sequence[str]) -> DataError:
    """Returns an error of data or weights that are not where the run found them."""
    hint = f"{error.hint}; {_where(stored, places)}" if error.hint else _where(stored, places)
    return DataError(error.message, hint=hint)


def _where(stored: RunSpec, places: Sequence[str]) -> str:
    """Returns how to say where data and weights of a run are now."""
    then = [
        f"--set {kind}.{name}=PLACE, where it was {path}"
        for kind in ("dataset", "backbone")
        for name, path in stored.choices()[kind].paths.items()
        if f"{kind}.{name}" in places
    ]
    return f"if they moved, add {' or '.join([*then, '--data-root FOLDER'])}"
