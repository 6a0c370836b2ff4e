"""Losses against the paper authors' own code, values computed by hand, and odd class counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from ltbench.contexts import BuildContext
from ltbench.protocols import ScheduledLoss
from ltbench_plugins.losses.agcl import AGCL
from ltbench_plugins.losses.focal import FOCAL, FocalConfig
from ltbench_plugins.losses.label_smoothing import LABEL_SMOOTHING
from ltbench_plugins.losses.ldam import LDAM, LdamConfig
from ltbench_plugins.losses.seesaw import SEESAW
from ltbench_plugins.losses.vs import VS
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

SPECS = specs_of("loss")
EXAMPLES = [(spec, options) for spec in SPECS.values() for options in spec.examples]
REFERENCES = (
    "balanced_softmax",
    "ce",
    "class_balanced",
    "focal",
    "generalized_reweight",
    "lade",
    "ldam",
    "logit_adjusted",
)
COUNTS = (80, 15, 5)
LOGITS = [[1.0, -2.0, 0.5], [0.3, 2.0, -1.0], [4.0, 0.0, 1.0]]
LABELS = [0, 1, 2]  # the last is predicted wrongly


@cache
def context(*counts: int, device: str = "cpu") -> BuildContext:
    built = parity.context(list(counts), parity.clip_vit())
    return replace(built, device=device, head_scale=25.0)  # type: ignore[no-any-return]


def softmax(values: Sequence[float]) -> list[float]:
    exponentials = [math.exp(value) for value in values]
    return [value / sum(exponentials) for value in exponentials]


def mean_loss(probabilities: Sequence[Sequence[float]]) -> float:
    chosen = [row[label] for row, label in zip(probabilities, LABELS, strict=True)]
    return -sum(math.log(value) for value in chosen) / len(chosen)


def value_and_gradient(
    loss: Any, logits: Sequence[Sequence[float]] | Tensor, labels: Sequence[int] | Tensor
) -> tuple[float, Tensor]:
    leaf = torch.as_tensor(logits).clone().requires_grad_()
    value = loss(leaf, torch.as_tensor(labels))
    value.backward()
    assert leaf.grad is not None
    return value.item(), leaf.grad


@value_of("loss", *REFERENCES)
@pytest.mark.parametrize("name", REFERENCES)
def test_values_and_gradients_equal_the_reference(name: str) -> None:
    stored, facts = parity.values(), parity.facts()
    loss = SPECS[name].build(SPECS[name].config(), context(*facts["class_counts"]))
    value, gradient = value_and_gradient(loss, stored["loss/logits"], stored["loss/labels"])
    assert value == pytest.approx(facts["loss"][name], rel=1e-5)
    assert parity.relative(gradient, stored[f"loss/grad/{name}"]) < 1e-4


@value_of("loss", "vs")
def test_vector_scaling_by_hand() -> None:
    factors = [(count / 80) ** 0.15 for count in COUNTS]
    summands = [math.log(count / 100) for count in COUNTS]
    scaled = [
        [factor * z + summand for factor, z, summand in zip(factors, row, summands, strict=True)]
        for row in LOGITS
    ]
    loss = VS.build(VS.config(), context(*COUNTS))
    value, _ = value_and_gradient(loss, LOGITS, LABELS)
    assert value == pytest.approx(mean_loss([softmax(row) for row in scaled]), rel=1e-5)


@value_of("loss", "seesaw")
def test_seesaw_by_hand() -> None:
    balanced = []
    for row, label in zip(LOGITS, LABELS, strict=True):
        sigma = softmax(row)
        terms = []
        for other, z in enumerate(row):
            rarer, ahead = COUNTS[other] / COUNTS[label], sigma[other] / sigma[label]
            mitigation = rarer**0.8 if rarer < 1 else 1.0
            compensation = ahead**2 if ahead > 1 else 1.0
            terms.append(mitigation * compensation * math.exp(z))
        balanced.append([term / sum(terms) for term in terms])
    loss = SEESAW.build(SEESAW.config(), context(*COUNTS))
    value, gradient = value_and_gradient(loss, LOGITS, LABELS)
    assert value == pytest.approx(mean_loss(balanced), rel=1e-5)
    through_logits_alone = (torch.tensor(balanced) - torch.eye(3)[LABELS]) / 3
    torch.testing.assert_close(gradient, through_logits_alone)


@value_of("loss", "agcl")
@pytest.mark.parametrize(("positive", "negative"), [(0.0, 4.0), (0.5, 8.0), (2.0, 0.0)])
def test_asymmetric_clouded_logits_by_hand(positive: float, negative: float) -> None:
    torch.manual_seed(0)
    drawn = torch.randn(3, 3).tolist()
    clouds = [math.log(80 / count) / math.log(80 / 5) for count in COUNTS]  # 0, 0.6, 1
    losses = []
    for row, errors, label in zip(LOGITS, drawn, LABELS, strict=True):
        lowered = [
            z - 25 * (0.5 * clouds[k] * min(abs(errors[k]) / 3, 1) + 0.1 * (k == label))
            for k, z in enumerate(row)
        ]
        terms = []
        for k, p in enumerate(softmax(lowered)):
            target, focus = 0.1 / 3, p**negative
            if k == label:
                target, focus = 0.9 + 0.1 / 3, (1 - p) ** positive
            terms.append(-target * focus * math.log(p))
        losses.append(sum(terms))
    loss = AGCL.build(AGCL.config(positive=positive, negative=negative), context(*COUNTS))
    torch.manual_seed(0)
    value, _ = value_and_gradient(loss, LOGITS, LABELS)
    assert value == pytest.approx(sum(losses) / 3, rel=1e-4)


def test_equal_classes_have_no_clouds() -> None:
    smooth = LABEL_SMOOTHING.build(LABEL_SMOOTHING.config(), context(7, 7, 7))
    loss = AGCL.build(AGCL.config(negative=0.0, margin=0.0), context(7, 7, 7))
    expected, _ = value_and_gradient(smooth, LOGITS, LABELS)
    assert value_and_gradient(loss, LOGITS, LABELS)[0] == pytest.approx(expected, rel=1e-5)


@value_of("loss", "label_smoothing")
def test_label_smoothing_by_hand() -> None:
    losses = []
    for row, label in zip(LOGITS, LABELS, strict=True):
        target = [0.1 / 3 + (0.9 if k == label else 0.0) for k in range(3)]
        logs = [math.log(q) for q in softmax(row)]
        losses.append(-sum(t * log for t, log in zip(target, logs, strict=True)))
    loss = LABEL_SMOOTHING.build(LABEL_SMOOTHING.config(), context(*COUNTS))
    value, _ = value_and_gradient(loss, LOGITS, LABELS)
    assert value == pytest.approx(sum(losses) / 3, rel=1e-5)


@value_of("loss", "ldam")
def test_deferred_weights_come_after_80_percent_of_the_epochs() -> None:
    losses = []
    for row, label in zip(LOGITS, LABELS, strict=True):
        margin = 0.5 * (COUNTS[label] / 5) ** -0.25
        lowered = [z - 25 * margin * (k == label) for k, z in enumerate(row)]
        losses.append(-math.log(softmax(lowered)[label]))
    weights = [(1 - 0.9999) / (1 - 0.9999**count) for count in COUNTS]
    weighted = sum(w * value for w, value in zip(weights, losses, strict=True)) / sum(weights)
    early, late = sum(losses) / 3, weighted
    assert early != pytest.approx(late, rel=0.01)

    loss = LDAM.build(LdamConfig(deferred=True), context(*COUNTS))
    assert isinstance(loss, ScheduledLoss)
    for epoch, expected in enumerate([early] * 4 + [late]):
        loss.start_epoch(epoch / 5)
        assert value_and_gradient(loss, LOGITS, LABELS)[0] == pytest.approx(expected, rel=1e-5)
    plain = LDAM.build(LDAM.config(), context(*COUNTS))
    plain.start_epoch(0.9)
    assert value_and_gradient(plain, LOGITS, LABELS)[0] == pytest.approx(early, rel=1e-5)


@pytest.mark.parametrize(("spec", "options"), EXAMPLES)
@pytest.mark.parametrize(
    "counts", [(1, 0), (0, 7, 1), (1280, *[0, 1] * 4999, 5)], ids=["K=2", "K=3", "K=10000"]
)
def test_finite_whatever_the_counts_and_labels(
    spec: Any, options: dict[str, Any], counts: tuple[int, ...]
) -> None:
    loss = spec.build(spec.config(**options), context(*counts))
    if isinstance(loss, ScheduledLoss):
        loss.start_epoch(0.9)
    classes = len(counts)
    torch.manual_seed(0)
    for labels in ([0], [1], [0] * 8, [0, 1, classes - 1] * 4):
        noise = 10 * torch.randn(len(labels), classes)
        sure = 200.0 * torch.nn.functional.one_hot(torch.tensor(labels), classes)
        for logits in (noise, noise.half(), sure, -sure):
            value, gradient = value_and_gradient(loss, logits, labels)
            assert math.isfinite(value)
            assert gradient.isfinite().all()


def test_focus_has_a_gradient_where_nothing_is_missed() -> None:
    for gamma in (0.0, 0.5, 1.0, 2.0):
        loss = FOCAL.build(FocalConfig(gamma), context(*COUNTS))
        assert value_and_gradient(loss, [[200.0, 0.0, 0.0]], [0])[1].isfinite().all()


@pytest.mark.parametrize("name", sorted(SPECS.keys() - {"agcl", "label_smoothing", "lade"}))
def test_a_class_without_images_changes_nothing_for_the_others(name: str) -> None:
    """Three losses average over all classes: of course it does there."""
    spec = SPECS[name]
    padded = [[*row, -1e4] for row in LOGITS]
    expected, _ = value_and_gradient(spec.build(spec.config(), context(*COUNTS)), LOGITS, LABELS)
    value, _ = value_and_gradient(spec.build(spec.config(), context(*COUNTS, 0)), padded, LABELS)
    assert value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("spec", "options"), EXAMPLES)
def test_waits_for_nothing_on_the_device(spec: Any, options: dict[str, Any]) -> None:
    """Meta tensors have no values: whoever looks at one fails."""
    loss = spec.build(spec.config(**options), context(*COUNTS, device="meta"))
    logits = torch.zeros(4, 3, device="meta", requires_grad=True)
    value = loss(logits, torch.zeros(4, dtype=torch.int64, device="meta"))
    value.backward()
    assert value.shape == ()
