"""Names of a run's accuracy metrics."""

from __future__ import annotations

ACCURACIES = {
    "accuracy": "overall",
    "mean_class": "mean-class",
    "many": "many-shot",
    "medium": "medium-shot",
    "few": "few-shot",
}
"""Key of a metric in a result -> its display name."""
