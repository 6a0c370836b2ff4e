"""`ltbench eval`: looks at a finished run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ltbench.cli.options import (
    DEFAULT_CACHE,
    DEFAULT_ROOT,
    CacheSize,
    DataRoot,
    Device,
    Json,
    Set,
    Workers,
    read_assignments,
)
from ltbench.errors import DataError


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
    cache: CacheSize = DEFAULT_CACHE,
    data_root: DataRoot = DEFAULT_ROOT,
) -> None:
    """Evaluate a finished run again, with other views or another shot rule.

    Numbers come from stored predictions; the model runs only for views that it has not seen yet,
    whose predictions are then stored beside the run's.

    Example: `ltbench eval runs/digits_lt/clip_tiny/lift_plus/0123456789ab --inference center`
    """
    import numpy as np

    from ltbench.config.resolve import Resolved, resolve, settings_of
    from ltbench.loading import load_plugins
    from ltbench.metrics import SHOT_RULES, compute_metrics
    from ltbench.results import Run
    from ltbench.store import RunDirectory

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
    changes, faults = read_assignments(assignments)
    faults += [
        f"{key}: an evaluation can only change inference.*; start another run for it"
        for key in changes
        if not key.startswith("inference.")
    ]
    settings = settings_of(stored)
    if inference is not None and inference != stored.inference.name:
        settings = {k: v for k, v in settings.items() if not k.startswith("inference.")}
        settings["inference"] = inference
    resolved: Resolved = resolve(load_plugins(), settings | changes, data_root, faults)
    for kind in ("dataset", "backbone"):
        now, then = getattr(resolved.spec, kind), getattr(stored, kind)
        if now.identity != then.identity:
            raise DataError(
                f"{kind} '{now.name}' is not what the run used: {now.identity} instead of "
                f"{then.identity}",
                hint="check --data-root, or the weights file",
            )
    path = directory.predictions(resolved.spec.inference, stored.inference)
    if path.exists():
        predictions = Run(run, result).predictions(path.stem.removeprefix("predictions-"))
    else:
        from ltbench.cache import Cache
        from ltbench.cli.progress import watching
        from ltbench.engine.run import Machine, evaluate_again

        machine = Machine(Path(), device, workers, Cache.of(directory.out(stored), cache))
        with watching() as watch:
            predictions = evaluate_again(resolved, directory, machine, watch)
    counts = np.array(result["classes"]["train_images"])
    if max(predictions.labels.max(), predictions.classes.max()) >= len(counts):
        raise DataError(f"{path} is of other classes", hint="delete the file")
    metrics = compute_metrics(predictions, counts, SHOT_RULES[shot_rule])

    from ltbench.cli.output import print_metrics

    print_metrics(metrics, resolved.spec, json=json)
