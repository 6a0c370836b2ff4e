"""Logistic regression on features."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from ltbench.errors import ConfigError


def logistic_regression(
    features: Tensor,
    labels: Tensor,
    num_classes: int,
    *,
    c: float,
    iterations: int,
    balanced: bool,
) -> tuple[Tensor, Tensor]:
    """Returns a multinomial logistic regression with an L2 penalty, fitted by L-BFGS.

    Reaching the maximum number of iterations is a way to regularise here, not a failure.

    Args:
        features: Features, (M, width).
        labels: Class ids, (M,).
        num_classes: Number of classes K.
        c: Inverse strength of the penalty.
        iterations: Maximum number of iterations.
        balanced: Whether all classes have the same weight, whatever their numbers of images.

    Returns:
        Coefficients (K, width) and intercepts (K,), float32 on the features' device. A class
        without images gets zero coefficients and the lowest intercept.

    Raises:
        ConfigError: Fewer than two classes have images.
    """
    targets = labels.cpu().numpy()
    present = np.unique(targets)
    if len(present) < 2:
        raise ConfigError(
            "a logistic regression needs images of at least two classes",
            hint="choose another initialisation or refinement",
        )
    model = LogisticRegression(
        C=c, max_iter=iterations, class_weight="balanced" if balanced else None
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features.cpu().numpy(), targets)
    found, intercepts = model.coef_, model.intercept_
    if len(present) == 2:  # scikit-learn keeps the difference of two classes: half to each
        found = np.concatenate([-found, found]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    coefficients = np.zeros((num_classes, features.shape[1]), dtype=np.float32)
    coefficients[present] = found
    everywhere = np.full(num_classes, intercepts.min(), dtype=np.float32)
    everywhere[present] = intercepts
    device = features.device
    return torch.from_numpy(coefficients).to(device), torch.from_numpy(everywhere).to(device)
