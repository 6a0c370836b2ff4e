"""The class priors that losses state, against the minimum of each loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from ltbench.protocols import ScheduledLoss
from tests.plugins.test_losses import COUNTS, SPECS, context

STATED = [
    ("balanced_softmax", {}),
    ("ce", {}),
    ("class_balanced", {}),
    ("class_balanced", {"beta": 0.9}),
    ("focal", {"gamma": 0}),
    ("generalized_reweight", {}),
    ("label_smoothing", {"smoothing": 0}),
    ("lade", {"alpha": 0}),
    ("logit_adjusted", {}),
    ("logit_adjusted", {"tau": 0.3}),
    ("logit_adjusted", {"tau": -1.5}),
    ("seesaw", {"p": 0, "q": 0}),
    ("vs", {"gamma": 0, "tau": 0.7}),
]
NOT_STATED = [
    ("agcl", {}),
    ("focal", {}),
    ("label_smoothing", {}),
    ("ldam", {}),
    ("seesaw", {}),
    ("seesaw", {"p": 0}),
    ("vs", {}),
]


@pytest.mark.parametrize(("name", "options"), STATED)
def test_the_loss_is_stationary_where_the_softmax_has_the_stated_prior(
    name: str, options: Mapping[str, Any]
) -> None:
    """Labels of an image have the probabilities softmax(z) / factors: their mean gradient is 0."""
    spec = SPECS[name]
    config = spec.config(**options)
    loss = spec.build(config, context(*COUNTS))
    if isinstance(loss, ScheduledLoss):
        loss.start_epoch(0)
    factors = spec.prior_factors(config, COUNTS)
    assert factors is not None
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        image = 2 * torch.randn(len(COUNTS), generator=generator)
        logits = image.repeat(len(COUNTS), 1).requires_grad_()  # the image with every label
        loss(logits, torch.arange(len(COUNTS))).backward()
        labels = image.softmax(0).double() / torch.tensor(factors, dtype=torch.float64)
        assert logits.grad is not None
        gradient = (labels / labels.sum()) @ logits.grad.double()
        assert gradient.abs().max() < 1e-6


@pytest.mark.parametrize(("name", "options"), NOT_STATED)
def test_losses_whose_softmax_is_no_probability_state_no_prior(
    name: str, options: Mapping[str, Any]
) -> None:
    assert SPECS[name].prior_factors(SPECS[name].config(**options), COUNTS) is None


def test_every_loss_is_covered() -> None:
    assert {name for name, _ in [*STATED, *NOT_STATED]} == set(SPECS)
