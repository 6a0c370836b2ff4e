"""Errors of a stored model: the answer of `ltbench errors`, for Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class MistakePicture:
    """Small picture of an image that is predicted wrongly.

    Args:
        data: JPEG file.
        caption: True and predicted class with their shot groups, and the confidence.
        name: Path or name of the image; empty where unknown.
    """

    data: bytes
    caption: str
    name: str


@dataclass(frozen=True, eq=False, repr=False)
class ErrorAnalysis:
    """Classes that a model fails on, the classes that take their images, and its confidence.

    All shares are percentages. With several seeds, counts are of predictions: images times seeds.

    Args:
        title: Description of the run, or of the cell.
        inference: Name of the inference of the predictions.
        split: Split of the images.
        seeds: Number of seeds.
        rare_group: Shot group with the fewest training images of those that have test images.
        groups: A row for all images (`overall`) and each shot group.
        classes: A row for each class, the worst first; those without test images last.
        confusions: A row for each pair of true and predicted class, the most frequent first.
        mistakes: A row for each wrong image, the most confident first.
        reliability: A row for each bin of confidence of each shot group.
        sentences: Findings, the most important one first.
        notes: Limits: what is unknown, and why.
        pictures: Pictures of the most confident mistakes of the rare group, where requested.
    """

    title: str
    inference: str
    split: str
    seeds: int
    rare_group: str
    groups: pd.DataFrame
    classes: pd.DataFrame
    confusions: pd.DataFrame
    mistakes: pd.DataFrame
    reliability: pd.DataFrame
    sentences: Sequence[str]
    notes: Sequence[str]
    pictures: Sequence[MistakePicture] = field(default_factory=tuple)
