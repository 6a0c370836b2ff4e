"""Table of a result that notebooks show."""

from __future__ import annotations

from ltbench.io.text import html_text
from ltbench.metric_names import ACCURACIES
from ltbench.storage.valid_intervals import StoredAccuracies, valid_interval


def notebook_table(title: str, metrics: StoredAccuracies) -> str:
    """Returns accuracies with their intervals as an HTML table.

    Args:
        title: Caption.
        metrics: Stored metrics.
    """
    rows = []
    for name, shown in ACCURACIES.items():
        value, interval = metrics.value(name), valid_interval(metrics, name)
        bounds = "" if interval is None else f"{interval[0]:.1f} to {interval[1]:.1f}"
        cells = (shown, "" if value is None else f"{value:.1f}", bounds)
        rows.append("".join(f"<td>{html_text(cell)}</td>" for cell in cells))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f"<table><caption>{html_text(title)}</caption><thead><tr><th>accuracy</th><th>%</th>"
        f"<th>95 % interval</th></tr></thead><tbody>{body}</tbody></table>"
    )
