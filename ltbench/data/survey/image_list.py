"""CSV file that lists the images of a survey."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from ltbench.data.survey.list_rules import class_labels
from ltbench.data.survey.survey import SPLITS, Survey


def list_text(survey: Survey, prefix: str) -> str:
    """Returns the CSV file of a survey: path, label and split of each image.

    Args:
        survey: The survey.
        prefix: Path of the survey's folder from where the paths start, with a slash; or nothing.

    Raises:
        DataError: Two class folders have the same name but for blanks.
    """
    labels = class_labels(survey.class_names)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "label", "split"))
    for path, label, split in zip(
        survey.paths, survey.labels.tolist(), survey.splits.tolist(), strict=True
    ):
        writer.writerow((prefix + path, labels[label], SPLITS[split]))
    return text.getvalue()


def prefix_from(folder: Path, root: Path) -> str | None:
    """Returns the path from a list's folder to the images, with a slash; None if they lie outside.

    Args:
        folder: Folder of the CSV file.
        root: Folder of the images.
    """
    start, end = (Path(os.path.abspath(one)) for one in (folder, root))  # noqa: PTH100
    if start == end:
        return ""
    return f"{end.relative_to(start).as_posix()}/" if end.is_relative_to(start) else None
