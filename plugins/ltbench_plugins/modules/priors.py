"""Priors and weights computed from class counts: tensors (K,), float32, on the run's device."""

from __future__ import annotations

import torch
from torch import Tensor

from ltbench import BuildContext


def log_prior(ctx: BuildContext, fewest: float = 1e-6) -> Tensor:
    """Returns log p_k = log(n_k / sum(n)).

    A class without training images counts as a class with `fewest` images: by default a millionth,
    so that its logit stays finite in a loss, where it is never the label.
    """
    counts = torch.tensor(ctx.class_counts, dtype=torch.float64).clamp(min=fewest)
    return (counts / counts.sum()).log().float().to(ctx.device)


def effective_number_weights(ctx: BuildContext, beta: float) -> Tensor:
    """Returns (1 - beta) / (1 - beta^n_k), divided by the mean over the classes."""
    return _mean_one((1 - beta) / (1 - beta ** _sizes(ctx)), ctx)


def inverse_prior_weights(ctx: BuildContext) -> Tensor:
    """Returns 1 / p_k, divided by the mean over the classes."""
    return _mean_one(1 / _sizes(ctx), ctx)


def relative_rarity(ctx: BuildContext) -> Tensor:
    """Returns n_min / n_k: 1 for the smallest class, near 0 for a large one."""
    sizes = _sizes(ctx)
    return (sizes.min() / sizes).float().to(ctx.device)


def _sizes(ctx: BuildContext) -> Tensor:
    """Returns n_k; a class without training images counts as the smallest class that has some."""
    counts = torch.tensor(ctx.class_counts, dtype=torch.float64)
    return counts.clamp(min=counts[counts > 0].min())


def _mean_one(weights: Tensor, ctx: BuildContext) -> Tensor:
    return (weights / weights.mean()).float().to(ctx.device)
