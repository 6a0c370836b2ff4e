"""Names that a CSV file of images can have."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench.errors import DataError, quoted

_MAX_PATH_CHARACTERS = 900  # a list's reader takes 1,000, with the folder in front of them


def path_fault(path: str) -> str:
    """Returns why a path cannot be in a CSV file; empty where it can.

    Args:
        path: Path below the folder of the images.
    """
    if not path.isprintable() and any(ord(letter) < ord(" ") for letter in path):
        return "has a control character in its name"
    if path != path.strip():
        return "begins or ends with a blank"
    return "has a path that is too long" if len(path) > _MAX_PATH_CHARACTERS else ""


def class_labels(class_names: Sequence[str]) -> list[str]:
    """Returns the labels of classes: their names, with single blanks and none around them.

    Raises:
        DataError: Two names become the same.
    """
    labels: dict[str, str] = {}
    for name in class_names:
        label = " ".join(name.split())
        if not label or label in labels:
            raise DataError(
                f"class folders {quoted(labels.get(label, ''))} and {quoted(name)} differ in "
                "blanks only",
                hint="rename one of the folders",
            )
        labels[label] = name
    return list(labels)
