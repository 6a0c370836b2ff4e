"""Predictions of a stream, as parts and as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data.images import ImageSource
from ltbench.errors import DataError


@dataclass(frozen=True)
class PredictedImages:
    """Predictions for some images of a stream.

    Args:
        indices: (B,) indices of the images.
        classes: (B, k) class ids, the most probable first.
        probabilities: (B, k) probabilities of these classes.
        skipped: Messages about images that could not be decoded since the last part, by index.
    """

    indices: NDArray[np.int64]
    classes: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    skipped: Mapping[int, str]

    def skipped_images(self, images: ImageSource) -> list[SkippedImage]:
        """Returns the images that could not be decoded, in their order.

        Args:
            images: All images of the stream.
        """
        return [
            SkippedImage(index, images.name(index), reason)
            for index, reason in sorted(self.skipped.items())
        ]


@dataclass(frozen=True)
class SkippedImage:
    """An image that could not be decoded.

    Args:
        index: Index among the given images.
        path: Path of the file.
        reason: Message of the error.
    """

    index: int
    path: str
    reason: str


@dataclass(frozen=True)
class PredictionRow:
    """Prediction for one image.

    Args:
        path: Path of the file.
        classes: k class ids, the most probable first.
        names: Names of these classes.
        probabilities: Probabilities of these classes.
    """

    path: str
    classes: Sequence[int]
    names: Sequence[str]
    probabilities: Sequence[float]

    def values(self) -> list[Any]:
        """Returns the values of the columns."""
        ranked = zip(self.names, self.classes, self.probabilities, strict=True)
        return [self.path, *(value for one in ranked for value in one)]


def rows_of(
    part: PredictedImages, images: ImageSource, class_names: Sequence[str]
) -> Iterator[PredictionRow]:
    """Yields a row for each predicted image of a part.

    Args:
        part: The predictions.
        images: All images of the stream.
        class_names: K names, by class id.
    """
    for index, classes, probabilities in zip(
        part.indices.tolist(), part.classes.tolist(), part.probabilities.tolist(), strict=True
    ):
        names = [class_names[one] for one in classes]
        yield PredictionRow(images.name(index), classes, names, probabilities)


def column_names(top: int) -> list[str]:
    """Returns the names of the columns of predictions.

    >>> column_names(2)
    ['path', 'class', 'class_id', 'probability', 'class_2', 'class_id_2', 'probability_2']

    Args:
        top: Number of classes of each image.
    """
    suffixes = ["", *(f"_{rank}" for rank in range(2, top + 1))]
    kinds = ("class", "class_id", "probability")
    return ["path", *(f"{kind}{suffix}" for suffix in suffixes for kind in kinds)]


def none_decoded(skipped: Sequence[SkippedImage]) -> DataError:
    """Returns the error for images of which none can be decoded."""
    if not skipped:
        return DataError("images: expected at least one, got none", hint="give image files")
    reason = skipped[0].reason
    if len(skipped) > 1:
        reason = f"none of {len(skipped):,} images can be decoded, such as the first: {reason}"
    return DataError(reason, hint="give image files that can be opened")
