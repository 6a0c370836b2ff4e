"""Pictures of single mistakes, read from the data set of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench.data.images import ImageSource
from ltbench.data.thumbnails import thumbnails

if TYPE_CHECKING:
    import pandas as pd

MAX_PICTURES = 24
"""Pictures of a contact sheet."""


@dataclass(frozen=True)
class MistakePicture:
    """Small picture of an image that is predicted wrongly.

    Args:
        data: JPEG file.
        label: True class, with its shot group.
        predicted: Predicted class, with its shot group.
        confidence: Confidence in percent.
        image: Path or name of the image; empty where unknown.
    """

    data: bytes
    label: str
    predicted: str
    confidence: float
    image: str

    @property
    def caption(self) -> str:
        """True class, predicted class and confidence, on two lines."""
        return f"is {self.label}\npredicted {self.predicted}, {self.confidence:.1f} %"

    @property
    def description(self) -> str:
        """Name of the image and its caption on one line, for screen readers."""
        return f"{self.image or 'Image'}: {self.caption}".replace("\n", ", ")


def mistake_pictures(
    mistakes: pd.DataFrame, images: ImageSource
) -> tuple[list[MistakePicture], list[str]]:
    """Returns pictures of mistakes, and a sentence where some are missing.

    Args:
        mistakes: Rows of `mistake_frame`, at most `MAX_PICTURES`.
        images: Images of the evaluated split.
    """
    found = []
    reasons = []
    rows: Sequence[dict[str, object]] = mistakes.to_dict("records")
    for row, data in zip(rows, thumbnails(images, mistakes["index"].tolist()), strict=True):
        if isinstance(data, str):
            reasons.append(data)
            continue
        image = row["image"]
        found.append(
            MistakePicture(
                data=data,
                label=f"{row['label_name']} ({row['label_group']})",
                predicted=f"{row['predicted_name']} ({row['predicted_group']})",
                confidence=float(str(row["confidence"])),
                image=image if isinstance(image, str) else "",
            )
        )
    if not reasons:
        return found, []
    return found, [f"{len(reasons)} of {len(mistakes)} pictures are missing: {reasons[0]}."]
