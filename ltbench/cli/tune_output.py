"""Output of `ltbench tune`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.markup import escape

from ltbench.analysis.comparison.pairs import PairComparison
from ltbench.analysis.comparison.summary_text import comparison_sentence
from ltbench.cli.output import print_json
from ltbench.io.console import console
from ltbench.io.fitted_table import FittedTable
from ltbench.io.text import line_text
from ltbench.metric_names import ACCURACIES
from ltbench.progress import SILENT, ProgressReporter
from ltbench.specs import Settings
from ltbench.storage.results import Cell
from ltbench.tuning.final_runs import CORRECTION
from ltbench.tuning.study import Study
from ltbench.tuning.study_file import TrialRecord
from ltbench.tuning.summary import MethodSummary, as_typed_line

SCHEMA = 1
LEVEL = 0.95
_MAX_ERROR_CHARACTERS = 200


@dataclass(frozen=True)
class TuneReport:
    """Everything that the command prints at its end.

    Args:
        study: The study.
        summaries: Search of each method.
        commands: Command of the best settings, by method.
        cells: Test runs by method; empty without --then-test.
        pairs: Comparisons of the test runs.
        comparisons: Number of comparisons that p values are corrected for.
    """

    study: Study
    summaries: Sequence[MethodSummary]
    commands: Mapping[str, str]
    cells: Mapping[str, Cell]
    pairs: Sequence[PairComparison]
    comparisons: int

    @property
    def sentences(self) -> list[str]:
        """Comparisons as sentences."""
        return [
            comparison_sentence(pair, metric, CORRECTION, self.comparisons, LEVEL)
            for pair in self.pairs
            for metric, outcome in pair.outcomes.items()
            if outcome is not None
        ]


@contextmanager
def training_display() -> Iterator[ProgressReporter]:
    """Yields a progress bar on a terminal; elsewhere nothing, for each trial has a line."""
    from ltbench.engine.progress_bar import Lines, show_progress

    with show_progress() as progress:
        yield SILENT if isinstance(progress, Lines) else progress


class Reporter:
    """Reporter of trials on stderr: a line for each.

    Args:
        metric: Accuracy that the study maximises.
        budget: Trials of each method.
    """

    def __init__(self, metric: str, budget: int) -> None:
        self._metric = ACCURACIES[metric]
        self._budget = budget
        self._console = console(stderr=True)

    def trial(
        self, method: str, number: int, settings: Settings, trial: TrialRecord | None
    ) -> None:
        """Reports the start of a trial, or its end."""
        title = f"{method} {number + 1}/{self._budget}: {as_typed_line(settings)}"
        if trial is not None:
            self._print(f"{title}: {self._outcome(trial)}")
        elif self._console.is_terminal:
            self._print(title)

    def test_run(self, method: str, seed: int) -> None:
        """Reports the start of a test run."""
        self._print(f"{method} on test, seed {seed}")

    def _outcome(self, trial: TrialRecord) -> str:
        if trial.value is not None:
            return f"{trial.value:.1f} % {self._metric} on val, {trial.seconds:.0f} s"
        if trial.state == "failed":
            return f"failed: {trial.error[:_MAX_ERROR_CHARACTERS]}"
        best = f", best mean-class {max(trial.scores):.1f} %" if trial.scores else ""
        return f"pruned after epoch {trial.trained} of {trial.epochs}{best}"

    def _print(self, text: str) -> None:
        self._console.print(line_text(text), markup=False, soft_wrap=True)


def print_report(report: TuneReport) -> None:
    """Prints the table of the searches, the commands, and the test runs."""
    out, record = console(), report.study.record
    table = FittedTable("method")
    for head in ("trials", "pruned", "failed", "epochs", "seconds", "recipe %", "best %"):
        table.add_column(head, right=True)
    for one in report.summaries:
        counts = len(one.trials), one.count("pruned"), one.count("failed")
        costs = f"{one.epochs}/{one.planned_epochs}", f"{one.seconds:.0f}"
        scores = _percent(one.untuned), _percent(one.best)
        table.add_row(escape(one.method), *map(str, counts), *costs, *scores)
    metric = ACCURACIES[record.metric]
    out.print(
        f"\n[bold]{metric} accuracy on val[/], {record.sampler} search, seed {record.seed}, "
        f"{record.budget} trials a method",
        soft_wrap=True,
    )
    out.print(table)
    for one in report.summaries:
        if one.best is not None:
            best = f"{one.method}: {as_typed_line(one.best.settings)} (trial {one.best.number + 1})"
            out.print(line_text(best), markup=False, soft_wrap=True)
    out.print(
        "[dim]The best score is optimistic: it was chosen as the highest. Report the test runs.[/]",
        soft_wrap=True,
    )
    for text in _notes(report):
        out.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)
    if report.commands:
        out.print("\n[bold]best settings on test[/]")
    for command in report.commands.values():
        out.print(line_text(command), markup=False, soft_wrap=True)
    if report.cells:
        _print_test_runs(report)
    out.print(f"\nstudy               {escape(str(report.study.folder))}", soft_wrap=True)


def _print_test_runs(report: TuneReport) -> None:
    out = console()
    seeds = next(iter(report.cells.values())).seeds
    table = FittedTable("method")
    for shown in ACCURACIES.values():
        table.add_column(shown, right=True)
    for method, cell in report.cells.items():
        means = (cell.mean(metric) for metric in ACCURACIES)
        table.add_row(escape(method), *("-" if one is None else f"{one:.1f}" for one in means))
    listed = ", ".join(map(str, seeds))
    out.print(f"\n[bold]accuracy on test[/] in %, seeds {listed}", soft_wrap=True)
    out.print(table)
    for text in report.sentences:
        out.print(escape(text), soft_wrap=True)


def _notes(report: TuneReport) -> Iterator[str]:
    for one in report.summaries:
        if one.edges:
            keys = " and ".join(one.edges)
            yield f"{one.method}: the best {keys} is at an end of what was searched: search further"
        if len(one.trials) < report.study.record.budget:
            yield f"{one.method}: all {len(one.trials)} points of its space were tried"
        failed = [trial for trial in one.trials if trial.state == "failed"]
        if failed:
            error = line_text(failed[0].error[:_MAX_ERROR_CHARACTERS])
            yield f"{one.method}: {len(failed)} of {len(one.trials)} trials failed, first: {error}"


def _percent(trial: TrialRecord | None) -> str:
    return "-" if trial is None or trial.value is None else f"{trial.value:.1f}"


def print_as_json(report: TuneReport) -> None:
    """Prints the study, the commands and the test runs as one JSON object."""
    print_json(
        {
            "schema": SCHEMA,
            "folder": str(report.study.folder),
            "study": report.study.record.model_dump(mode="json"),
            "methods": [_method_as_json(one, report) for one in report.summaries],
            "comparisons": report.sentences,
        }
    )


def _method_as_json(one: MethodSummary, report: TuneReport) -> dict[str, Any]:
    cell = report.cells.get(one.method)
    return {
        "method": one.method,
        "trials": [trial.model_dump(mode="json") for trial in one.trials],
        "epochs": one.epochs,
        "seconds": one.seconds,
        "best": None if one.best is None else one.best.model_dump(mode="json"),
        "at_an_end": list(one.edges),
        "command": report.commands.get(one.method),
        "test": None
        if cell is None
        else {
            "seeds": list(cell.seeds),
            "directories": [str(run.path) for run in cell.runs],
            "mean": {metric: cell.mean(metric) for metric in ACCURACIES},
        },
    }
