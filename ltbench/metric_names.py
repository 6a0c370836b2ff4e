"""The accuracies of a run, and what they are called."""

from __future__ import annotations

ACCURACIES = {
    "accuracy": "overall",
    "mean_class": "mean-class",
    "many": "many-shot",
    "medium": "medium-shot",
    "few": "few-shot",
}
"""Key of a result's metrics -> its name for people."""
