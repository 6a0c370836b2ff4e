"""Class ids from class names, and the choice of test images."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import DataError

_MAX_DIGITS = 1000  # Python converts longer numbers in quadratic time


def number_classes(names: Any) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Numbers classes in the order of their names, or of their values if all are numbers.

    Args:
        names: Pyarrow array of the N images' class names.

    Returns:
        Names of the K classes by class id, and class ids, (N,).
    """
    encoded = names.dictionary_encode()
    known = encoded.dictionary.to_pylist()
    numeric = all(name.isdecimal() and len(name) < _MAX_DIGITS for name in known)
    ordered = sorted(known, key=(lambda name: (int(name), name)) if numeric else None)
    ids = {name: label for label, name in enumerate(ordered)}
    labels = np.array([ids[name] for name in known], np.int64)[encoded.indices.to_numpy()]
    return tuple(ordered), labels


def in_normal_form(names: Any) -> tuple[Any, tuple[str, ...]]:
    """Returns class names in Unicode's normal form C, and a note if that merges some.

    Args:
        names: Pyarrow array of N strings.
    """
    import pyarrow as pa

    encoded = names.dictionary_encode()
    written = encoded.dictionary.to_pylist()
    # Not pyarrow's utf8_normalize: in its wheels up to 25, form C is form D.
    composed = [unicodedata.normalize("NFC", name) for name in written]
    names = pa.array(composed, names.type).take(encoded.indices)
    merged = len(written) - len(set(composed))
    if not merged:
        return names, ()
    first = next(name for name, normal in zip(written, composed, strict=True) if name != normal)
    return names, (
        f"{merged:,} labels are written in two forms of Unicode, such as {first!r}; they are "
        "compared in normal form C",
    )


def expect_trained(where: str, class_names: tuple[str, ...], labels: NDArray[np.int64]) -> None:
    """Checks that each class has training images.

    Args:
        where: Name of the data set for messages.
        class_names: Names of the K classes.
        labels: Class ids of the training images, (N,).

    Raises:
        DataError: A class has no training images.
    """
    without = np.flatnonzero(np.bincount(labels, minlength=len(class_names)) == 0)
    if len(without) and class_names[without[0]] == "-1":
        raise DataError(
            f"{where}: label -1, which means a hidden label, is in no training image",
            hint="evaluate on a split whose labels are public, or leave such images out",
        )
    if len(without):
        raise DataError(
            f"{where}: class '{class_names[without[0]]}' has no training images",
            hint="check that it is spelt the same in every split, or leave the class out",
        )


def every(labels: NDArray[np.int64], step: int) -> NDArray[np.bool_]:
    """Returns a mask of every step-th image of each class, in the given order.

    >>> every(np.array([0, 1, 0, 1, 0, 0, 1]), 2).tolist()
    [False, False, True, True, False, True, False]
    """
    by_class = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    mask = np.zeros(len(labels), dtype=bool)
    mask[by_class] = rank % step == step - 1
    return mask
