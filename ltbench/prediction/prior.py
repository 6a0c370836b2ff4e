"""Class priors of a deployment: uniform, that of the training images, or one from a file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import ConfigError, DataError, quoted, shortened, suggestion
from ltbench.io.paths import with_home
from ltbench.io.reading import read_regular

Prior = str | Path | Mapping[str, float]
"""A prior: "uniform", "train", a CSV file with the header class,weight, or weights by class."""

_HEADER = ["class", "weight"]
_FORM = (
    "save it in UTF-8 with the first line class,weight and a line for each class; weights are "
    "probabilities or numbers of images"
)
_MAX_BYTES = 1 << 26
_MAX_SHOWN_CLASSES = 10


def target_prior(
    prior: Prior, class_names: Sequence[str], train_images: Sequence[int]
) -> NDArray[np.float64]:
    """Returns the probability of each class in a deployment, (K,).

    Args:
        prior: The prior.
        class_names: K names, by class id.
        train_images: K numbers of training images, by class id.

    Raises:
        ConfigError: A weight or a class is missing, is not a number, or is unknown; or it is no
            prior.
        DataError: The file cannot be read.
    """
    if isinstance(prior, Mapping):
        weights = _by_class(prior, class_names, "prior")
    elif not isinstance(prior, str | Path):
        raise ConfigError(
            f"prior: expected 'uniform', 'train', a CSV file or weights by class, got "
            f"{quoted(prior)}",
            hint="leave it out for the probabilities as the model computes them",
        )
    elif prior == "uniform":
        weights = np.ones(len(class_names))
    elif prior == "train":
        weights = np.array(train_images, np.float64)
    else:
        weights = _by_class(_read(with_home(prior)), class_names, f"prior {prior}")
    weights = weights / weights.max()  # no sum of them overflows
    probabilities: NDArray[np.float64] = weights / weights.sum()
    return probabilities


def _by_class(
    weights: Mapping[Any, Any], class_names: Sequence[str], where: str
) -> NDArray[np.float64]:
    """Returns the weights of classes in the order of their ids, (K,).

    Raises:
        ConfigError: All faults of the weights.
    """
    known = dict.fromkeys(class_names)
    missing = [quoted(name) for name in known if name not in weights]
    faults = []
    if len(known) < len(class_names):
        several = next(name for name in known if list(class_names).count(name) > 1)
        faults.append(f"{where}: several classes have the name {quoted(several)}")
    if missing:
        shown = ", ".join(missing[:_MAX_SHOWN_CLASSES])
        more = len(missing) - _MAX_SHOWN_CLASSES
        faults.append(
            f"{where}: {len(missing):,} of {len(known):,} classes have no weight: {shown}"
            + (f" and {more:,} more" if more > 0 else "")
        )
    for name, weight in weights.items():
        if name not in known:
            near = suggestion(str(name), known)
            faults.append(f"{where}: {quoted(name)} is no class of the run; {near}")
        elif not _is_weight(weight):
            faults.append(
                f"{where}: {quoted(name)}: expected a weight of at least 0, got {quoted(weight)}"
            )
    if not faults and not any(weights.values()):
        faults.append(f"{where}: all weights are 0")
    if faults:
        raise ConfigError.from_faults(faults, hint=_FORM)
    return np.array([float(weights[name]) for name in class_names])


def _is_weight(weight: Any) -> bool:
    if isinstance(weight, bool) or not isinstance(weight, int | float | np.integer | np.floating):
        return False
    try:
        return math.isfinite(weight) and bool(weight >= 0)
    except OverflowError:  # a whole number beyond every float
        return False


def _read(path: Path) -> dict[str, float | str]:
    """Returns the weights in a CSV file by class; a text where one is no number.

    Raises:
        ConfigError: The file does not exist.
        DataError: The file cannot be read, or is no such CSV file.
    """
    try:
        content = read_regular(path, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8", hint=_FORM) from error
    except FileNotFoundError as error:
        raise ConfigError(
            f"prior: {shortened(str(path))} does not exist",
            hint="give uniform, train, or a CSV file",
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(f"{shortened(str(path))} cannot be read: {error}", hint=_FORM) from error
    weights: dict[str, float | str] = {}
    try:
        rows = csv.reader(io.StringIO(content, newline=""), strict=True)
        header = next(rows, [])
        if header != _HEADER:
            found = shortened(",".join(header)) or "nothing"
            raise DataError(f"{path}: expected the header class,weight, got {found}", hint=_FORM)
        for row in rows:
            if not row:
                continue
            if len(row) != len(_HEADER):
                raise DataError(
                    f"{path}:{rows.line_num}: expected 2 fields, got {len(row)}", hint=_FORM
                )
            name, weight = row
            if name in weights:
                raise DataError(
                    f"{path}:{rows.line_num}: {quoted(name)} occurs twice", hint="keep one line"
                )
            weights[name] = _number(weight)
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV file: {error}", hint=_FORM) from error
    return weights


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
