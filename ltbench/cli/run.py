"""`ltbench run`: trains, evaluates, reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ltbench.cli.options import (
    CacheSize,
    DataRoot,
    Device,
    Json,
    Set,
    Trackers,
    Workers,
    read_assignments,
)
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DATA_ROOT, DEFAULT_DEVICE, DEFAULT_OUT
from ltbench.config.text import Text

_COMPONENTS = "Components (see `ltbench list`)"
_TRAINING = "Training (the method's recipe where not given)"
_PROTOCOL = "Protocol: val to choose by, test to report"
_RANDOMNESS = "Randomness"


def _option(what: str, kind: str, panel: str) -> Any:
    # Values are checked with everything else, so that all faults are shown together: to typer,
    # whatever their kind, they are texts.
    return typer.Option(help=what, metavar=kind, rich_help_panel=panel, show_default=False)


def run(
    method: Annotated[
        str | None,
        _option("What is learned in the encoder. Default: lift_plus.", "NAME", _COMPONENTS),
    ] = None,
    dataset: Annotated[
        str | None, _option("Data set. Default: digits_lt.", "NAME", _COMPONENTS)
    ] = None,
    backbone: Annotated[
        str | None, _option("Pretrained model. Default: clip_tiny.", "NAME", _COMPONENTS)
    ] = None,
    loss: Annotated[str | None, _option("Loss.", "NAME", _COMPONENTS)] = None,
    sampling: Annotated[
        str | None, _option("How often each class is seen.", "NAME", _COMPONENTS)
    ] = None,
    augmentation: Annotated[str | None, _option("Training crops.", "NAME", _COMPONENTS)] = None,
    optimizer: Annotated[str | None, _option("Update rule.", "NAME", _COMPONENTS)] = None,
    schedule: Annotated[
        str | None,
        _option("Learning rate in the course of the training.", "NAME", _COMPONENTS),
    ] = None,
    refinement: Annotated[
        str | None, _option("Second stage, after the training.", "NAME", _COMPONENTS)
    ] = None,
    inference: Annotated[str | None, _option("Test views.", "NAME", _COMPONENTS)] = None,
    head: Annotated[str | None, _option("Classifier.", "NAME", _COMPONENTS)] = None,
    init: Annotated[str | None, _option("First weight of the head.", "NAME", _COMPONENTS)] = None,
    epochs: Annotated[
        str | None, _option("Passes over the training images.", "INTEGER", _TRAINING)
    ] = None,
    batch_size: Annotated[
        str | None, _option("Images in an optimiser step.", "INTEGER", _TRAINING)
    ] = None,
    accumulate: Annotated[
        str | None,
        _option("Parts of a batch, one after the other, to save memory.", "INTEGER", _TRAINING),
    ] = None,
    lr: Annotated[
        str | None,
        _option("Learning rate, which the schedule multiplies.", "FLOAT", _TRAINING),
    ] = None,
    precision: Annotated[
        str | None,
        _option(
            "Of matrix products; auto: by device and size of the model.",
            "auto|fp32|bf16|fp16",
            _TRAINING,
        ),
    ] = None,
    on_corrupt: Annotated[
        str | None,
        _option("Images that cannot be decoded: skip counts them.", "fail|skip", _TRAINING),
    ] = None,
    seed: Annotated[
        str | None,
        _option("Of the training. Default: 0.", "INTEGER", _RANDOMNESS),
    ] = None,
    data_seed: Annotated[
        str | None,
        _option(
            "Of the long-tailed subset, and of what is held out of it. Default: 0.",
            "INTEGER",
            _RANDOMNESS,
        ),
    ] = None,
    select: Annotated[
        str | None,
        _option(
            "Weights kept: those after the last epoch, or of the epoch that is best on val. Never "
            "chosen on test. Default: last.",
            "last|val",
            _PROTOCOL,
        ),
    ] = None,
    split: Annotated[
        str | None,
        _option(
            "What the kept weights are evaluated on; to choose hyper-parameters, compare runs "
            "on val. Where a data set has no val, a tenth of train is held out for either flag. "
            "Default: test.",
            "test|val",
            _PROTOCOL,
        ),
    ] = None,
    assignments: Set = None,
    overwrite: Annotated[
        Literal["never", "failed", "always"],
        typer.Option(help="Which earlier runs of the same spec are done again."),
    ] = "never",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show the resolved spec, its hash, and an estimate; write nothing."
        ),
    ] = False,
    json: Json = False,
    out: Annotated[Path, typer.Option(help="Folder of the run directories.")] = DEFAULT_OUT,
    device: Device = DEFAULT_DEVICE,
    workers: Workers = None,
    cache: CacheSize = DEFAULT_CACHE_GB,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
    tracker: Trackers = None,
) -> None:
    """Train a method, evaluate it, report by shot group.

    A finished run is not run again; an interrupted one goes on where it stopped.

    Example: `ltbench run --method full --lr 0.005 --loss ce --seed 1`
    """
    given = {
        "method": method,
        "dataset": dataset,
        "backbone": backbone,
        "loss": loss,
        "sampling": sampling,
        "augmentation": augmentation,
        "optimizer": optimizer,
        "schedule": schedule,
        "refinement": refinement,
        "inference": inference,
        "head": head,
        "init": init,
        "train.epochs": epochs,
        "train.batch_size": batch_size,
        "train.accumulate": accumulate,
        "train.lr": lr,
        "precision": precision,
        "on_corrupt": on_corrupt,
        "select": select,
        "split": split,
        "seed": seed,
        "data_seed": data_seed,
    }
    from ltbench.cli.output import print_plan, print_result
    from ltbench.cli.stored_runs import with_today_intervals
    from ltbench.engine.late_progress import LateProgress
    from ltbench.engine.launch import plan_run, runtime_config
    from ltbench.registry.load import load_plugins

    flags = {key: Text(value) for key, value in given.items() if value is not None}
    settings, faults = read_assignments(assignments, flags)
    planned = plan_run(
        load_plugins(), settings, data_root, tracker or (), faults, progress=LateProgress()
    )
    stored = None if dry_run else planned.stored(out, overwrite)
    if stored is not None:
        print_result(with_today_intervals(stored), json=json, stored=True)
        return

    runtime = runtime_config(out, device, workers, 0 if dry_run else cache)
    from ltbench.engine.progress_bar import show_progress

    if dry_run:
        from ltbench.engine.estimate import estimate

        with show_progress():
            estimated = estimate(planned.resolved, runtime)
        print_plan(planned.resolved, estimated, json=json)
        return
    with show_progress() as progress:
        result = planned.execute(runtime, overwrite, progress)
    print_result(result, json=json, stored=False)
