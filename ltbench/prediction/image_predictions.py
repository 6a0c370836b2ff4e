"""Predicted classes and probabilities of images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data.images import ImageSource
from ltbench.io.text import html_text
from ltbench.prediction.found_images import ListedImages
from ltbench.prediction.prediction_table import (
    PredictedImages,
    SkippedImage,
    column_names,
    none_decoded,
)

if TYPE_CHECKING:
    import pandas as pd

_MAX_SHOWN_IMAGES = 20  # in a notebook
_MAX_SHOWN_CLASSES = 5


@dataclass(frozen=True)
class ImagePredictions:
    """Predictions for N images, in the order of the given images.

    Args:
        class_names: K names, by class id.
        indices: (N,) indices among the given images, of which some may have been skipped.
        paths: N paths; empty where the images were not files.
        classes: (N, k) class ids, the most probable first.
        probabilities: (N, k) probabilities of these classes.
        skipped: Images that could not be decoded.
    """

    class_names: tuple[str, ...]
    indices: NDArray[np.int64]
    paths: tuple[str, ...]
    classes: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    skipped: tuple[SkippedImage, ...]

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        """Returns a line with the numbers of images."""
        skipped = f", {len(self.skipped):,} skipped" if self.skipped else ""
        images = "image" if len(self) == 1 else "images"
        return f"<ImagePredictions of {len(self):,} {images}{skipped}>"

    def _repr_html_(self) -> str:
        """Returns a table of the first images, which notebooks show."""
        many = f", the first {_MAX_SHOWN_IMAGES}" if len(self) > _MAX_SHOWN_IMAGES else ""
        title = f"{'1 image' if len(self) == 1 else f'{len(self):,} images'}{many}"
        if self.skipped:
            title += f"; {len(self.skipped):,} skipped"
        shown = range(min(len(self), _MAX_SHOWN_IMAGES))
        rows = "".join(f"<tr>{self._row(number)}</tr>" for number in shown)
        return (
            f"<table><caption>{title}</caption><thead><tr><th>image</th><th>class</th><th>%</th>"
            f"<th>next</th></tr></thead><tbody>{rows}</tbody></table>"
        )

    def _row(self, number: int) -> str:
        """Returns the cells of an image."""
        image = self.paths[number] if self.paths else str(self.indices[number])
        (name, value), *others = [
            (self.class_names[class_id], f"{100 * share:.1f}")
            for class_id, share in zip(
                self.classes[number, :_MAX_SHOWN_CLASSES],
                self.probabilities[number, :_MAX_SHOWN_CLASSES],
                strict=True,
            )
        ]
        cells = (image, name, value, ", ".join(f"{other} {share}" for other, share in others))
        return "".join(f"<td>{html_text(cell)}</td>" for cell in cells)

    @property
    def names(self) -> NDArray[np.object_]:
        """(N, k) names of the classes."""
        named: NDArray[np.object_] = np.array(self.class_names, dtype=object)[self.classes]
        return named

    def to_frame(self) -> pd.DataFrame:
        """Returns one row for each image, with the columns of `ltbench predict --csv`.

        Images that were not files have the column `index` instead of `path`. Names of classes are
        categories, unless several classes have the same name.
        """
        import pandas as pd

        first = self.paths if self.paths else self.indices
        columns: dict[str, Any] = {"path" if self.paths else "index": first}
        known = list(self.class_names)
        distinct = len(set(known)) == len(known)
        _, *others = column_names(self.classes.shape[1])
        for rank, (name, class_id, probability) in enumerate(
            zip(others[::3], others[1::3], others[2::3], strict=True)
        ):
            ids = self.classes[:, rank]
            columns[name] = (
                pd.Categorical.from_codes(ids, known) if distinct else np.array(known, object)[ids]
            )
            columns[class_id] = ids
            columns[probability] = self.probabilities[:, rank]
        return pd.DataFrame(columns)


@dataclass
class Pieces:
    """Predictions of one or several image sources.

    Args:
        class_names: K names, by class id.
    """

    class_names: tuple[str, ...]
    parts: list[PredictedImages] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    skipped: list[SkippedImage] = field(default_factory=list)
    given: int = 0

    def add(self, images: ImageSource, parts: Iterable[PredictedImages]) -> None:
        """Adds the predictions of a source.

        Args:
            images: The source.
            parts: Predictions for it.
        """
        for part in parts:
            if isinstance(images, ListedImages):
                self.paths += [images.name(index) for index in part.indices.tolist()]
            self.parts.append(
                PredictedImages(
                    part.indices + self.given, part.classes, part.probabilities, part.skipped
                )
            )
            self.skipped += [
                replace(one, index=one.index + self.given) for one in part.skipped_images(images)
            ]
        self.given += len(images)

    def joined(self) -> ImagePredictions:
        """Returns all predictions.

        Raises:
            DataError: No image could be decoded.
        """
        if not sum(len(part.indices) for part in self.parts):
            raise none_decoded(self.skipped)
        return ImagePredictions(
            self.class_names,
            np.concatenate([part.indices for part in self.parts]),
            tuple(self.paths),
            np.concatenate([part.classes for part in self.parts]),
            np.concatenate([part.probabilities for part in self.parts]),
            tuple(self.skipped),
        )
