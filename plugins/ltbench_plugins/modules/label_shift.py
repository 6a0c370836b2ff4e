"""Estimation of the class prior of unlabelled images from their predictions."""

from __future__ import annotations

import torch
from torch import Tensor

_IMAGES_AT_A_TIME = 4096


def estimate_prior(
    logits: Tensor, source: Tensor, *, max_iterations: int, tolerance: float
) -> Tensor:
    """Returns the class prior of images that maximises the likelihood of their features, (K,).

    Expectation maximisation (Saerens, Latinne and Decaestecker, 2002). With the posterior p(k|x_n)
    of a model whose prior is pi_s, each iteration replaces the estimate pi, which starts at pi_s:

        r_nk = p(k|x_n) pi_k / pi_s,k        pi_k <- mean over n of r_nk / sum_j r_nj

    The features given the class are taken to be distributed as in the training, and the posterior
    to be calibrated.

    Args:
        logits: Logits of the images, (N, K); their softmax is the posterior.
        source: Class prior of that posterior, (K,), all positive, with sum 1.
        max_iterations: Largest number of iterations.
        tolerance: Sum over the classes of the absolute change, below which the iterations end.
    """
    posterior = torch.empty_like(logits)
    pairs = logits.split(_IMAGES_AT_A_TIME), posterior.split(_IMAGES_AT_A_TIME)
    for part, target in zip(*pairs, strict=True):  # no second matrix of temporary numbers
        torch.softmax(part, dim=1, out=target)
    prior = source = source.to(logits)
    for _ in range(max_iterations):
        ratio = prior / source
        # Two products with the matrix: sum over n of p_nk r_k / (sum over j of p_nj r_j).
        following = ratio * (posterior.T @ (1 / (posterior @ ratio)))
        following = following / following.sum()
        change = float((following - prior).abs().sum())
        prior = following
        if change < tolerance:
            break
    return prior
