"""Table of runs that notebooks show."""

from __future__ import annotations

from ltbench.io.text import html_text
from ltbench.metric_names import ACCURACIES
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import Found

MAX_SHOWN_RUNS = 20
_NAMES = ("dataset", "backbone", "method", "seed", "hash")


def results_table(found: Found) -> str:
    """Returns the first runs with their accuracies as an HTML table.

    Args:
        found: Runs, and run directories that were skipped.
    """
    count = len(found.runs)
    title = "1 run" if count == 1 else f"{count:,} runs"
    if count > MAX_SHOWN_RUNS:
        title += f", the first {MAX_SHOWN_RUNS}"
    if found.skipped:
        title += f"; {len(found.skipped):,} skipped"
    heads = "".join(f"<th>{html_text(name)}</th>" for name in (*_NAMES, *ACCURACIES.values()))
    rows = "".join(f"<tr>{_row(run)}</tr>" for run in found.runs[:MAX_SHOWN_RUNS])
    return (
        f"<table><caption>{html_text(title)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _row(run: RunResult) -> str:
    spec = run.spec
    names = (run.dataset_title, spec.backbone.name, spec.method.name, str(spec.seed), run.hash)
    values = [run.metrics.value(name) for name in ACCURACIES]
    numbers = ["" if value is None else f"{value:.1f}" for value in values]
    return "".join(f"<td>{html_text(text)}</td>" for text in (*names, *numbers))
