"""`ltbench tune`: hyper-parameter search on the validation split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ltbench.cli.completion import complete_name_of, complete_search
from ltbench.cli.options import (
    CacheFolder,
    CacheSize,
    DataRoot,
    Device,
    Json,
    Set,
    Workers,
    read_assignments,
)
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DATA_ROOT, DEFAULT_DEVICE, DEFAULT_OUT
from ltbench.config.text import Text, from_toml
from ltbench.errors import RunError, shortened

if TYPE_CHECKING:
    from ltbench.analysis.comparison.pairs import PairComparison
    from ltbench.engine.run import RuntimeConfig
    from ltbench.storage.results import Cell

_TRIALS = "Trials"
_SEARCH = "Search"
_TEST = "Test runs of the best settings"
_TEST_SEEDS = "0,1,2"
_NAME = re.compile(r"[\w-][\w.-]{0,99}", re.ASCII)
_MAX_SEEDS = 1_000


def tune(
    methods: Annotated[
        str,
        typer.Option(
            metavar="NAME,...",
            help="Methods, each with the same budget.",
            autocompletion=complete_name_of("method", many=True),
            rich_help_panel=_TRIALS,
        ),
    ] = "lift_plus",
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Data set. Default: digits_lt.",
            autocompletion=complete_name_of("dataset"),
            rich_help_panel=_TRIALS,
            show_default=False,
        ),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Pretrained model. Default: clip_tiny.",
            autocompletion=complete_name_of("backbone"),
            rich_help_panel=_TRIALS,
            show_default=False,
        ),
    ] = None,
    select: Annotated[
        Literal["val", "last"],
        typer.Option(
            help="Weights that trials and test runs keep: those of the best epoch on val, or of "
            "the last, without pruning.",
            rich_help_panel=_TRIALS,
        ),
    ] = "val",
    assignments: Set = None,
    search: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[METHOD:]KEY=VALUES",
            help="Setting to search, with a list or a range: method.dim=4,8,16, "
            "train.epochs=5..20, train.lr=log:1e-4..1e-1. Repeatable. Default: train.lr within a "
            "factor of 10 of the method's recipe.",
            autocompletion=complete_search,
            rich_help_panel=_SEARCH,
            show_default=False,
        ),
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="TOML file of settings to search.",
            rich_help_panel=_SEARCH,
            show_default=False,
        ),
    ] = None,
    sampler: Annotated[
        Literal["grid", "random", "tpe"],
        typer.Option(
            help="Order of the trials; tpe: Optuna's sampler (pip install 'ltbench[tune]').",
            rich_help_panel=_SEARCH,
        ),
    ] = "random",
    budget: Annotated[
        int,
        typer.Option(min=1, max=10_000, help="Trials of each method.", rich_help_panel=_SEARCH),
    ] = 20,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**32 - 1, help="Seed of the sampler.", rich_help_panel=_SEARCH),
    ] = 0,
    metric: Annotated[
        Literal["accuracy", "mean_class", "many", "medium", "few"],
        typer.Option(
            metavar="METRIC",
            help="Accuracy on val to choose by: accuracy, mean_class, many, medium or few.",
            rich_help_panel=_SEARCH,
        ),
    ] = "mean_class",
    no_prune: Annotated[
        bool,
        typer.Option(
            "--no-prune", help="Train every trial to its last epoch.", rich_help_panel=_SEARCH
        ),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the study in OUT/.tuning/studies. Default: follows from the search.",
            rich_help_panel=_SEARCH,
            show_default=False,
        ),
    ] = None,
    then_test: Annotated[
        bool,
        typer.Option(
            "--then-test", help="Run the best settings on test, and compare.", rich_help_panel=_TEST
        ),
    ] = False,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="N,...",
            help=f"Seeds of --then-test. Default: {_TEST_SEEDS}.",
            rich_help_panel=_TEST,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    out: Annotated[Path, typer.Option(help="Folder of the run directories.")] = DEFAULT_OUT,
    device: Device = DEFAULT_DEVICE,
    workers: Workers = None,
    cache: CacheSize = DEFAULT_CACHE_GB,
    cache_dir: CacheFolder = None,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Search hyper-parameters on val; end with the command of the best.

    Every method gets the same number of trials, one after the other. Trials are never evaluated on
    test. An interrupted search is continued by the same command, and a larger --budget adds trials.

    Example: `ltbench tune --methods full,lift_plus --budget 20 --then-test --seeds 0,1,2`
    """
    from dataclasses import replace

    from ltbench.cli import tune_output as shown
    from ltbench.cli.output_paths import writable_folder
    from ltbench.config.resolve import Resolver
    from ltbench.config.run_command import run_command, typed
    from ltbench.engine.late_progress import LateProgress
    from ltbench.registry.load import load_plugins
    from ltbench.tuning.build_space import build_spaces
    from ltbench.tuning.final_runs import compare_methods, run_on_test
    from ltbench.tuning.pruning import RULE
    from ltbench.tuning.samplers import expect_points
    from ltbench.tuning.search_texts import read_searches
    from ltbench.tuning.study import open_study, runs_folder, study_folder
    from ltbench.tuning.study_file import MethodRecord, StudyRecord
    from ltbench.tuning.summary import best_settings, summarise
    from ltbench.tuning.trials import TRIAL_SEED, TrialRunner

    writable_folder(out, "--out")
    flags = {"dataset": dataset, "backbone": backbone}
    base, faults = read_assignments(
        assignments, {key: Text(value) for key, value in flags.items() if value is not None}
    )
    searches, wrong = read_searches(search or (), space)
    faults = [*faults, *wrong, *_split_faults(base, name)]
    names, wrong = _names(methods)
    faults += wrong
    tested: tuple[int, ...] = ()
    if then_test:
        tested, wrong = _seeds(seeds or _TEST_SEEDS, base.get("seed", TRIAL_SEED))
        faults += wrong
    elif seeds is not None:
        faults.append("--seeds: they are the seeds of --then-test, which is missing")
    registry = load_plugins()
    resolver = Resolver(registry, data_root, LateProgress())
    spaces = build_spaces(resolver, names, base, searches, faults, grid=sampler == "grid")
    expect_points(spaces, sampler, budget)
    record = StudyRecord(
        methods=[MethodRecord.of(one) for one in spaces],
        settings={key: typed(value) for key, value in base.items()},
        sampler=sampler,
        seed=seed,
        metric=metric,
        select=select,
        prune=RULE if not no_prune and select == "val" else None,
        budget=budget,
    )
    runtime = _runtime(out, device, workers, cache, cache_dir)
    reporter = shown.Reporter(metric, budget)
    with open_study(study_folder(out, record, name), record) as study:
        trials = replace(runtime, out=runs_folder(out))
        runner = TrialRunner(
            registry, resolver, study, base, trials, shown.training_display, reporter.trial
        )
        runner.run()
    summaries = summarise(study)
    chosen = {
        one.method: best_settings(study, base, one.method, one.best)
        for one in summaries
        if one.best is not None
    }
    options = _other_options(out, data_root)
    commands = {method: run_command(settings, options) for method, settings in chosen.items()}
    cells: dict[str, Cell] = {}
    pairs: Sequence[PairComparison] = ()
    comparisons = 0
    if tested:
        display = shown.training_display
        cells = run_on_test(registry, resolver, chosen, tested, runtime, display, reporter.test_run)
        if len(cells) > 1:
            pairs, comparisons = compare_methods(cells, shown.LEVEL)
    report = shown.TuneReport(study, summaries, commands, cells, pairs, comparisons)
    if json:
        shown.print_as_json(report)
    else:
        shown.print_report(report)
    without = [one.method for one in summaries if one.best is None]
    if without:
        raise RunError(
            f"no trial of {', '.join(without)} is done",
            hint=f"see the errors in {study.folder / 'trials.jsonl'}",
        )


def _split_faults(base: dict[str, Any], name: str | None) -> list[str]:
    faults = []
    split = base.get("split", "val")
    if split != "val":
        faults.append(f"split: trials are evaluated on val, got '{shortened(str(split))}'")
    if "method" in base:
        faults.append("method: give --methods")
    if "select" in base:
        faults.append("select: give --select")
    if name is not None and not _NAME.fullmatch(name):
        faults.append(
            f"--name: expected letters, digits, '-', '_' and '.', got '{shortened(name)}'"
        )
    return faults


def _names(text: str) -> tuple[list[str], list[str]]:
    names = [name.strip() for name in text.split(",")]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    faults = [f"--methods: {shortened(name)} is given twice" for name in twice]
    if "" in names:
        faults.append("--methods: expected names with commas between them, as full,lift_plus")
    return list(dict.fromkeys(name for name in names if name)), faults


def _seeds(text: str, of_trials: Any) -> tuple[tuple[int, ...], list[str]]:
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,10}", part) and int(part) < 2**32 for part in parts):
        fault = f"--seeds: expected whole numbers with commas between them, got {shortened(text)}"
        return (), [fault]
    seeds = tuple(dict.fromkeys(map(int, parts)))
    faults = []
    try:
        seed = from_toml(str(of_trials))  # +1 and 0x1 are 1
    except ValueError:
        seed = None  # reported with the settings
    if seed in seeds:
        faults.append(f"--seeds: {of_trials} is the seed of the trials, which chose the settings")
    if len(seeds) > _MAX_SEEDS:
        faults.append(f"--seeds: expected at most {_MAX_SEEDS:,}")
    return seeds, faults


def _other_options(out: Path, data_root: Path) -> dict[str, str]:
    options = {} if out == DEFAULT_OUT else {"--out": str(out)}
    return options if data_root == DEFAULT_DATA_ROOT else {**options, "--data-root": str(data_root)}


def _runtime(
    out: Path, device: str, workers: int | None, cache: float, cache_dir: Path | None
) -> RuntimeConfig:
    from ltbench.engine.launch import runtime_config
    from ltbench.io.console import console

    with console(stderr=True).status("importing torch"):
        return runtime_config(out, device, workers, cache, cache_dir=cache_dir)
