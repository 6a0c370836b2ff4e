"""Output of the verbs on stdout: tables, or JSON."""

from __future__ import annotations

import dataclasses
import json as json_module
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from ltbench.io.console import console
from ltbench.io.fitted_table import FittedTable
from ltbench.metric_names import ACCURACIES

if TYPE_CHECKING:
    from ltbench.config.resolve import Resolved
    from ltbench.config.runspec import Choice, RunSpec
    from ltbench.engine.estimate import Estimate
    from ltbench.storage.result_schema import Metrics, RunResult, SelectionRecord


def print_json(value: Mapping[str, Any]) -> None:
    """Prints one JSON object."""
    sys.stdout.write(json_module.dumps(value, indent=2, allow_nan=False) + "\n")


def print_result(result: RunResult, *, json: bool, stored: bool) -> None:
    """Prints the result of a run."""
    if json:
        print_json(result.to_dict())
        return
    out = console()
    learned, training, selection = result.learned, result.training, result.selection
    evaluation, refinement = result.evaluation, result.refinement
    out.print(run_title(result.spec))
    out.print(metrics_table(result.metrics))
    out.print(_summary(result.metrics), soft_wrap=True)
    out.print(
        f"learned parameters  {learned.total:,} ({learned.percent:.2f} % of the backbone): "
        f"{learned.encoder:,} in the encoder, {learned.head:,} in the head",
        soft_wrap=True,
    )
    out.print(f"selection           {selection_text(selection)}", soft_wrap=True)
    rate = training.images_per_second
    speed = "" if rate is None else f" ({rate:,.0f} images/s)"
    refined = f"{refinement.seconds:.1f} s {refinement.name}, " if refinement else ""
    validated = f"{selection.seconds:.1f} s validation, " if selection.scores else ""
    out.print(
        f"time                {training.seconds:.1f} s training{speed}, {validated}{refined}"
        f"{evaluation.seconds:.1f} s evaluation ({evaluation.inference})",
        soft_wrap=True,
    )
    skipped = training.skipped_images + evaluation.skipped_images
    if evaluation.split != "val":  # else they are counted already
        skipped += selection.skipped_images
    if skipped:
        out.print(f"[yellow]skipped             {skipped} corrupt images[/]")
    _print_warnings(out, result.warnings)
    done = "stored earlier in" if stored else "stored in"
    out.print(f"{done:<19} {escape(result.directory)}", soft_wrap=True)


def _print_warnings(out: Console, warnings: Iterable[str]) -> None:
    for warning in warnings:
        out.print(f"[yellow]warning[/]             {escape(warning)}", soft_wrap=True)


def print_metrics(metrics: Metrics, spec: RunSpec, inference: Choice, *, json: bool) -> None:
    """Prints the metrics of an evaluation.

    Args:
        metrics: Metrics of the predictions.
        spec: The run.
        inference: Inference of the predictions, which may be another one than the run's.
        json: Whether to print JSON.
    """
    if json:
        described = dataclasses.asdict(inference)
        print_json({"inference": described, "metrics": metrics.model_dump()})
        return
    out = console()
    print_evaluation_title(out, metrics, spec, inference)
    out.print(metrics_table(metrics))
    out.print(_summary(metrics), soft_wrap=True)


def print_evaluation_title(
    out: Console, metrics: Metrics, spec: RunSpec, inference: Choice
) -> None:
    """Prints the run of an evaluation, its inference and its shot rule."""
    out.print(run_title(spec))
    options = ", ".join(f"{key}={value}" for key, value in inference.options.items())
    shown = f"{inference.name} ({options})" if options else inference.name
    out.print(f"inference {escape(shown)}, shot rule {metrics.shot_rule}")


def selection_text(selection: SelectionRecord) -> str:
    """Returns a phrase about the epoch whose weights were kept, as 'epoch 5 of 5, the last'."""
    if selection.epoch is None:
        return "none: the run trains nothing"
    epoch = f"epoch {selection.epoch + 1} of {selection.epochs}"
    if selection.rule == "last":
        return f"{epoch}, the last"
    kind = "held-out training" if selection.held_out else "validation"
    return (
        f"{epoch}, chosen on {selection.val_images:,} {kind} images "
        f"(mean-class {selection.scores[selection.epoch]:.1f} %)"
    )


def run_title(spec: RunSpec) -> str:
    """Returns method, data set, backbone and seed of a run, as markup of rich."""
    places = [place for option, place in spec.dataset.paths.items() if option != "title"]
    title = escape(spec.dataset.title)
    dataset = f"{title} ({escape(', '.join(places))})" if places else title
    where = "" if spec.split == "test" else f" ({spec.split} split)"
    model = f"{spec.backbone.name}, seed {spec.seed}"
    return f"\n[bold]{spec.method.name}[/] on {dataset}{where} with {model}"


def _summary(metrics: Metrics) -> str:
    return (
        f"harmonic mean of the groups {metrics.harmonic:.1f}, macro F1 "
        f"{metrics.macro_f1:.1f}, calibration error {metrics.ece:.1f}"
    )


def metrics_table(metrics: Metrics) -> FittedTable:
    """Returns a table of accuracies with their intervals."""
    table = FittedTable("accuracy")
    table.add_column("%", right=True)
    table.add_column("95 % interval", right=True)
    table.add_column("classes", right=True)
    sizes = metrics.group_classes
    for name, shown in ACCURACIES.items():
        value, interval = metrics.value(name), metrics.intervals[name]
        table.add_row(
            shown,
            "-" if value is None else f"{value:.1f}",
            "-" if interval is None else f"{interval[0]:.1f} to {interval[1]:.1f}",
            str(sizes.get(name, sizes["all"])),
        )
    return table


def print_plan(resolved: Resolved, estimate: Estimate, *, json: bool) -> None:
    """Prints the choices of a run and an estimate of its time and memory."""
    from ltbench.config.options import as_typed
    from ltbench.config.resolve import RUN_KEYS

    spec = resolved.spec
    if json:
        print_json(
            {
                "hash": spec.hash,
                "run": spec.to_dict(),
                "estimate": {
                    **dataclasses.asdict(estimate),
                    "learned": estimate.learned.model_dump(),
                },
            }
        )
        return
    out = console()
    tree = Tree(f"[bold]run {spec.hash}[/]")
    for kind, choice in spec.choices().items():
        branch = tree.add(f"{kind} [bold]{choice.name}[/] [dim]({resolved.sources[kind]})[/]")
        for name, value in {**choice.options, **choice.paths}.items():
            source = resolved.sources.get(f"{kind}.{name}", "default")
            branch.add(f"{name} = {escape(as_typed(value))} [dim]({source})[/]")
    branch = tree.add("train")
    for name, value in dataclasses.asdict(spec.train).items():
        source = resolved.sources.get(f"train.{name}", "default")
        branch.add(f"{name} = {as_typed(value)} [dim]({source})[/]")
    for key in RUN_KEYS:
        tree.add(f"{key} = {getattr(spec, key)} [dim]({resolved.sources.get(key, 'default')})[/]")
    out.print(tree)
    learned = estimate.learned
    out.print(f"learned parameters  {learned.total:,} ({learned.percent:.2f} % of the backbone)")
    out.print(f"precision           {estimate.precision}")
    more = f"; the refinement {spec.refinement.name} comes on top" if estimate.refined else ""
    validated = (
        f"{estimate.select_seconds:.0f} s validation after the epochs, "
        if estimate.select_seconds
        else ""
    )
    out.print(
        f"estimated time      {estimate.train_seconds:.0f} s training, {validated}"
        f"{estimate.evaluate_seconds:.0f} s evaluation{more}",
        soft_wrap=True,
    )
    out.print(f"estimated memory    {estimate.peak_memory_mb:,.0f} MB")
    _print_warnings(out, estimate.warnings)
