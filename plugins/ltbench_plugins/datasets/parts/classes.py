"""From names of classes to class ids, and which images are held out for testing."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import DataError

_DIGITS = 1000  # of a number, which Python converts in time that is quadratic in them


def number_classes(names: Any) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Numbers classes in the order of their names: as numbers where all of them are.

    Args:
        names: The class of each image: a pyarrow array of N strings.

    Returns:
        K class names by class id, and the class ids, (N,).
    """
    encoded = names.dictionary_encode()
    known = encoded.dictionary.to_pylist()
    numeric = all(name.isdecimal() and len(name) < _DIGITS for name in known)
    ordered = sorted(known, key=(lambda name: (int(name), name)) if numeric else None)
    ids = {name: label for label, name in enumerate(ordered)}
    labels = np.array([ids[name] for name in known], np.int64)[encoded.indices.to_numpy()]
    return tuple(ordered), labels


def in_normal_form(names: Any) -> tuple[Any, tuple[str, ...]]:
    """Returns names of classes in Unicode's normal form C, and a note where that unites some.

    Args:
        names: A pyarrow array of N strings.
    """
    import pyarrow as pa

    encoded = names.dictionary_encode()
    written = encoded.dictionary.to_pylist()
    # Not by pyarrow's utf8_normalize: in its wheels up to 25, form C is form D.
    composed = [unicodedata.normalize("NFC", name) for name in written]
    names = pa.array(composed, names.type).take(encoded.indices)
    united = len(written) - len(set(composed))
    if not united:
        return names, ()
    first = next(name for name, normal in zip(written, composed, strict=True) if name != normal)
    return names, (
        f"{united:,} labels are written in two forms of Unicode, such as {first!r}; they are "
        "compared in normal form C",
    )


def expect_trained(where: str, class_names: tuple[str, ...], labels: NDArray[np.int64]) -> None:
    """Sees to it that each class has training images.

    Args:
        where: What to call the data set in an error.
        class_names: K names.
        labels: (N,) class ids of the training images.

    Raises:
        DataError: One has none: it is misspelt, or cannot be learned.
    """
    without = np.flatnonzero(np.bincount(labels, minlength=len(class_names)) == 0)
    if len(without) and class_names[without[0]] == "-1":
        raise DataError(
            f"{where}: label -1, which stands for a hidden label, is in no training image",
            hint="evaluate on a split whose labels are public, or leave such images out",
        )
    if len(without):
        raise DataError(
            f"{where}: class '{class_names[without[0]]}' has no training images",
            hint="is it spelt the same in every split? Classes that cannot be learned must go",
        )


def every(labels: NDArray[np.int64], step: int) -> NDArray[np.bool_]:
    """Returns every step-th image of each class, in the order given, as a mask.

    >>> every(np.array([0, 1, 0, 1, 0, 0, 1]), 2).tolist()
    [False, False, True, True, False, True, False]
    """
    by_class = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    mask = np.zeros(len(labels), dtype=bool)
    mask[by_class] = rank % step == step - 1
    return mask
