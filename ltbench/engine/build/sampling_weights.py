"""How often each class is drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ltbench.config.resolve import Resolved
from ltbench.data import Dataset
from ltbench.errors import PluginError
from ltbench.registry.attribution import attribute_errors
from ltbench.specs import BuildContext


def sampling_weights(
    resolved: Resolved, context: BuildContext, dataset: Dataset
) -> NDArray[np.float64] | None:
    """Returns how often the sampling draws each class; the most frequent has 1.

    Raises:
        PluginError: As `scaled`.
    """
    sampling, component = resolved.build("sampling", context), resolved.components["sampling"]
    with attribute_errors(component):
        weights = sampling.weights()
    with component.attributed():
        return None if weights is None else scaled(weights, dataset)


def scaled(weights: NDArray[np.float64], dataset: Dataset) -> NDArray[np.float64]:
    """Returns weights of classes of which the largest is 1.

    Raises:
        PluginError: They are not what `ltbench.protocols.Sampling` asks for.
    """
    wanted = (
        f"class weights must be {dataset.num_classes} finite numbers, none negative and "
        "not all zero where there are training images"
    )
    try:
        weights = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise PluginError(f"{wanted}: {error}") from error
    fits = weights.shape == (dataset.num_classes,) and np.isfinite(weights).all()
    if not fits or weights.min() < 0 or not weights[dataset.class_counts > 0].any():
        raise PluginError(wanted)
    largest_is_1: NDArray[np.float64] = weights / weights.max()  # no sum of them overflows
    return largest_is_1
