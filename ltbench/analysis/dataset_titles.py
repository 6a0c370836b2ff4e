"""Titles of data sets in tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ltbench.config.runspec import Choice


def dataset_titles(choices: Sequence[Choice]) -> list[str]:
    """Returns the title of each run's data set, the same for all runs of the same images.

    A title is in no hash: runs of the same images may have different ones. All of them get the most
    frequent one, the first of equally frequent ones. Without any, it is the data set's name.

    Args:
        choices: Data set of each run.
    """
    keys = [(choice.name, choice.identity, repr(dict(choice.options))) for choice in choices]
    counts: dict[object, dict[str, int]] = {}
    for key, choice in zip(keys, choices, strict=True):
        seen = counts.setdefault(key, {})
        seen[choice.title] = seen.get(choice.title, 0) + (choice.title != choice.name)
    return [_most_frequent(counts[key]) for key in keys]


def _most_frequent(counts: Mapping[str, int]) -> str:
    return max(counts, key=lambda title: counts[title])
