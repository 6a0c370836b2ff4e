"""Relative frequencies of drawing the classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ltbench.config.resolve import Resolved
from ltbench.contexts import BuildContext
from ltbench.data import Dataset
from ltbench.errors import PluginError
from ltbench.registry.attribution import attribute_errors


def sampling_weights(
    resolved: Resolved, context: BuildContext, dataset: Dataset
) -> NDArray[np.float64] | None:
    """Returns the relative frequency of drawing each class, (K,), the largest 1, or None.

    Raises:
        PluginError: The weights are not those of a `ltbench.protocols.Sampling`.
    """
    sampling, component = resolved.build("sampling", context), resolved.components["sampling"]
    with attribute_errors(component):
        weights = sampling.weights()
    with component.attributed():
        return None if weights is None else scaled(weights, dataset)


def scaled(weights: NDArray[np.float64], dataset: Dataset) -> NDArray[np.float64]:
    """Returns class weights, (K,), divided by the largest.

    Raises:
        PluginError: The weights are not those of a `ltbench.protocols.Sampling`.
    """
    expected = (
        f"class weights must be {dataset.num_classes} finite numbers, none negative and "
        "not all zero where there are training images"
    )
    try:
        weights = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise PluginError(f"{expected}: {error}") from error
    fits = weights.shape == (dataset.num_classes,) and np.isfinite(weights).all()
    if not fits or weights.min() < 0 or not weights[dataset.class_counts > 0].any():
        raise PluginError(expected)
    divided: NDArray[np.float64] = weights / weights.max()  # no sum of them overflows
    return divided
