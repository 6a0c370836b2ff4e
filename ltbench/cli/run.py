"""`ltbench run`: training and evaluation of a method."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ltbench.cli.completion import Completion, complete_name_of, complete_word_of
from ltbench.cli.options import (
    CacheFolder,
    CacheSize,
    Config,
    DataRoot,
    Device,
    Json,
    Set,
    Trackers,
    Workers,
    read_assignments,
)
from ltbench.cli.rank_options import Gpus, Processes, Ranks, shown
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DATA_ROOT, DEFAULT_DEVICE, DEFAULT_OUT
from ltbench.config.quick_look import FAST
from ltbench.config.text import Text
from ltbench.errors import ConfigError
from ltbench.io import interrupts
from ltbench.io.gc import gc_paused

_COMPONENTS = "Components (see `ltbench list`)"
_TRAINING = "Training (default: the method's recipe)"
_QUICK = "Quick look (compared with no other run)"
_PROTOCOL = "Protocol (choose on val, report on test)"
_RANDOMNESS = "Randomness"


_FAST = (
    f"{FAST['limit']} images of each class, {FAST['train.epochs']} epoch, batches of "
    f"{FAST['train.batch_size']}, where no other values are given"
)


def _option(help: str, metavar: str, panel: str, complete: Completion | None = None) -> Any:
    if complete is None and "|" in metavar:
        complete = complete_word_of(metavar.split("|"))
    # To typer, all values are strings: they are checked later, and all faults shown together.
    return typer.Option(
        help=help,
        metavar=metavar,
        rich_help_panel=panel,
        show_default=False,
        autocompletion=complete,
    )


def _component(help: str, kind: str) -> Any:
    return _option(help, "NAME", _COMPONENTS, complete_name_of(kind))


def run(
    method: Annotated[
        str | None, _component("Parameters of the encoder to learn. Default: lift_plus.", "method")
    ] = None,
    dataset: Annotated[str | None, _component("Data set. Default: digits_lt.", "dataset")] = None,
    backbone: Annotated[
        str | None, _component("Pretrained model. Default: clip_tiny.", "backbone")
    ] = None,
    loss: Annotated[str | None, _component("Loss.", "loss")] = None,
    sampling: Annotated[str | None, _component("Sampling of classes.", "sampling")] = None,
    augmentation: Annotated[
        str | None, _component("Views of training images.", "augmentation")
    ] = None,
    optimizer: Annotated[str | None, _component("Update rule.", "optimizer")] = None,
    schedule: Annotated[
        str | None, _component("Learning rate over the steps of the training.", "schedule")
    ] = None,
    refinement: Annotated[
        str | None, _component("Second stage after the training.", "refinement")
    ] = None,
    inference: Annotated[str | None, _component("Views of test images.", "inference")] = None,
    head: Annotated[str | None, _component("Classifier.", "head")] = None,
    init: Annotated[str | None, _component("First weight of the head.", "init")] = None,
    epochs: Annotated[str | None, _option("Number of epochs.", "INTEGER", _TRAINING)] = None,
    batch_size: Annotated[
        str | None, _option("Images per optimiser step.", "INTEGER", _TRAINING)
    ] = None,
    accumulate: Annotated[
        str | None,
        _option("Micro-batches per optimiser step, to save memory.", "INTEGER", _TRAINING),
    ] = None,
    lr: Annotated[
        str | None,
        _option("Learning rate, which the schedule multiplies.", "FLOAT", _TRAINING),
    ] = None,
    precision: Annotated[
        str | None,
        _option(
            "Precision of matrix products; auto: by device and model size.",
            "auto|fp32|bf16|fp16",
            _TRAINING,
        ),
    ] = None,
    compiled: Annotated[
        bool,
        typer.Option(
            "--compile",
            help="Compile the backbone's blocks by torch.compile, for long trainings.",
            rich_help_panel=_TRAINING,
        ),
    ] = False,
    on_corrupt: Annotated[
        str | None,
        _option("For images that cannot be decoded; skip counts them.", "fail|skip", _TRAINING),
    ] = None,
    seed: Annotated[
        str | None,
        _option("Seed of the training. Default: 0.", "INTEGER", _RANDOMNESS),
    ] = None,
    data_seed: Annotated[
        str | None,
        _option(
            "Seed of the long-tailed subset and of the images held out of it. Default: 0.",
            "INTEGER",
            _RANDOMNESS,
        ),
    ] = None,
    select: Annotated[
        str | None,
        _option(
            "Weights to keep: those of the last epoch, or of the best epoch on val. Default: last.",
            "last|val",
            _PROTOCOL,
        ),
    ] = None,
    split: Annotated[
        str | None,
        _option(
            "Split to evaluate; choose hyper-parameters on val. Where a data set has no val, a "
            "tenth of train is held out for either flag. Default: test.",
            "test|val",
            _PROTOCOL,
        ),
    ] = None,
    limit: Annotated[
        str | None,
        _option("Images of each class in every split, chosen by --data-seed.", "INTEGER", _QUICK),
    ] = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help=f"Short run: {_FAST}.", rich_help_panel=_QUICK),
    ] = False,
    assignments: Set = None,
    config: Config = None,
    overwrite: Annotated[
        Literal["never", "failed", "always"],
        typer.Option(help="Earlier runs of the same choices to execute again."),
    ] = "never",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show all choices, the hash, and an estimate; write nothing."
        ),
    ] = False,
    toml: Annotated[
        bool,
        typer.Option("--toml", help="With --dry-run: print all choices as a file for --config."),
    ] = False,
    json: Json = False,
    out: Annotated[Path, typer.Option(help="Folder of the run directories.")] = DEFAULT_OUT,
    device: Device = DEFAULT_DEVICE,
    ranks: Ranks = None,
    gpus: Gpus = None,
    workers: Workers = None,
    cache: CacheSize = DEFAULT_CACHE_GB,
    cache_dir: CacheFolder = None,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
    tracker: Trackers = None,
) -> None:
    """Train a method, evaluate it, and report accuracies by shot group.

    A finished run is not executed again; an interrupted run is resumed.

    Example: `ltbench run --method full --lr 0.005 --loss ce --seed 1`

    Example: `ltbench run --method lora --fast`
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
        "compile": "true" if compiled else None,
        "on_corrupt": on_corrupt,
        "select": select,
        "split": split,
        "seed": seed,
        "data_seed": data_seed,
        "limit": limit,
        "fast": "true" if fast else None,
    }
    with gc_paused():  # little of what is imported and planned becomes garbage
        from ltbench.cli.output import print_plan, print_result
        from ltbench.cli.output_paths import output_folder
        from ltbench.cli.today_intervals import with_today_intervals
        from ltbench.config.settings_file import as_settings_file, read_settings_file
        from ltbench.engine.late_progress import LateProgress
        from ltbench.engine.launch import plan_run, runtime_config
        from ltbench.io.console import console
        from ltbench.registry.load import load_plugins

        if toml and (json or not dry_run):
            raise ConfigError("--toml: expected --dry-run, and not --json")
        output_folder(out, "--out")
        processes = Processes.of(ranks, gpus, device)
        file = read_settings_file(config)
        flags = {key: Text(value) for key, value in given.items() if value is not None}
        settings, faults = read_assignments(assignments, flags)
        with file.naming_faults(settings):
            planned = plan_run(
                load_plugins(),
                file.under(settings),
                data_root,
                tracker or (),
                faults,
                progress=LateProgress(),
            )
        if toml:
            typer.echo(as_settings_file(planned.resolved), nl=False)
            return
        alone = processes.place is None  # else the ranks read the store together
        stored = planned.stored(out, overwrite) if alone and not dry_run else None
    if stored is not None:
        print_result(with_today_intervals(stored), json=json, stored=True)
        return

    if processes.start and not dry_run:
        with planned.directory(out).lock(out):
            raise typer.Exit(processes.run())
    if dry_run:
        from ltbench.engine.progress_bar import show_progress

        with console(stderr=True).status("importing torch"):
            runtime = runtime_config(out, processes.device, workers, 0)
        from ltbench.engine.estimate import estimate

        with show_progress():
            estimated = estimate(planned.resolved, runtime)
        print_plan(planned.resolved, estimated, json=json)
        return
    interrupts.expect_one_result()
    with ExitStack() as stack:
        with console(stderr=True).status("importing torch"):
            group, device = stack.enter_context(processes.joined())
            runtime = runtime_config(out, device, workers, cache, group=group, cache_dir=cache_dir)
        with shown(group) as progress:
            result = planned.execute(runtime, overwrite, progress)
        group.lead(partial(print_result, result, json=json, stored=False))
