"""What refinements make of trained weights, worked out by hand or by scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ltbench.errors import ConfigError
from ltbench.protocols import Loss, Refinement
from ltbench_plugins.modules.heads import CosineHead, LinearHead
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

SPECS = specs_of("refinement")
ENCODER = parity.narrow_vit(1)
X = torch.tensor([[1.0, 2.0]])


@dataclass
class Trained:
    """A model after its training; `fit` moves parameters by as much as `step` says."""

    learned: Mapping[str, nn.Parameter]
    start: Mapping[str, Tensor] = field(default_factory=dict)
    found: tuple[Tensor, Tensor] | None = None
    step: Callable[[nn.Parameter, int], Any] = lambda parameter, seed_offset: None
    asked: list[dict[str, Any]] = field(default_factory=list)
    subsets: list[tuple[int, int | None, int]] = field(default_factory=list)

    def features(self, per_class: int | None = None) -> tuple[Tensor, Tensor]:
        assert self.found is not None
        assert per_class is None
        return self.found

    def fit(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        epochs: int | None = None,
        lr: float | None = None,
        sampling_weights: NDArray[np.float64] | None = None,
        seed_offset: int = 0,
        loss: Loss | None = None,
        per_class: int | None = None,
        min_steps: int = 0,
    ) -> None:
        moved = list(parameters)
        before = [parameter.detach().clone() for parameter in moved]
        self.asked.append(
            {"start": before, "epochs": epochs, "lr": lr, "sampling_weights": sampling_weights}
        )
        self.subsets.append((seed_offset, per_class, min_steps))
        with torch.no_grad():
            for parameter in moved:
                parameter.add_(self.step(parameter, seed_offset))


def refinement(name: str, classes: int = 2, **options: Any) -> Refinement:
    spec = SPECS[name]
    built = spec.build(spec.config(**options), parity.context([1] * classes, ENCODER))
    assert built is not None
    return built


def refine(name: str, head: nn.Module, training: Trained, **options: Any) -> None:
    refinement(name, len(head.weight), **options).refine(ENCODER, head, training)


def linear(weight: Sequence[Sequence[float]], bias: Sequence[float]) -> LinearHead:
    head = LinearHead(len(weight), len(weight[0]))
    start = {"weight": weight, "bias": bias}
    head.load_state_dict({k: torch.tensor(v, dtype=torch.float32) for k, v in start.items()})
    return head


def named(head: nn.Module) -> dict[str, nn.Parameter]:
    return {f"head.{name}": parameter for name, parameter in head.named_parameters()}


@value_of("refinement", "none")
def test_none_is_nothing() -> None:
    spec = SPECS["none"]
    assert spec.build(spec.config(), parity.context([1], ENCODER)) is None


@value_of("refinement", "tau_norm")
@pytest.mark.parametrize(
    ("tau", "expected"),
    [
        (0, [[3.0, 4.0], [0.0, 16.0], [0.0, 0.0]]),
        (0.5, [[3 / 5**0.5, 4 / 5**0.5], [0.0, 4.0], [0.0, 0.0]]),
        (1, [[0.6, 0.8], [0.0, 1.0], [0.0, 0.0]]),
    ],
)
def test_tau_norm_divides_by_a_power_of_the_norm(tau: float, expected: list[list[float]]) -> None:
    head = linear([[3, 4], [0, 16], [0, 0]], [1, 2, 3])
    refine("tau_norm", head, Trained(named(head)), tau=tau)
    assert torch.allclose(head.weight, torch.tensor(expected))
    assert not head.bias.any()


@value_of("refinement", "ncm")
@pytest.mark.parametrize("kind", [LinearHead, lambda k, width: CosineHead(k, width, 25.0)])
def test_ncm_takes_the_direction_of_the_mean_of_unit_features(kind: Any) -> None:
    head = kind(3, 2)
    nn.init.ones_(head.weight)
    features = torch.tensor([[30.0, 40.0], [0.0, 2.0], [-5.0, 0.0]])
    refine("ncm", head, Trained(named(head), found=(features, torch.tensor([0, 0, 2]))))
    norm = (0.6**2 + 1.8**2) ** 0.5  # of (0.6, 0.8) + (0, 1)
    expected = torch.tensor([[0.6 / norm, 1.8 / norm], [0, 0], [-1, 0]])
    assert torch.allclose(head.weight, expected)
    assert not any(p.any() for name, p in head.named_parameters() if name == "bias")


@value_of("refinement", "wise_ft")
def test_wise_ft_is_between_before_and_after() -> None:
    head, other = linear([[4.0]], [-2.0]), nn.Parameter(torch.tensor([8.0]))
    learned = {**named(head), "backbone.x": other}
    start = {"head.weight": torch.tensor([[0.0]]), "head.bias": torch.tensor([2.0])}
    start["backbone.x"] = torch.tensor([4.0])
    refine("wise_ft", head, Trained(learned, start), alpha=0.25)
    assert (head.weight.item(), head.bias.item(), other.item()) == (1, 1, 5)


@pytest.mark.parametrize(("alpha", "kept"), [(0.0, "start"), (1.0, "learned")])
def test_wise_ft_ends_where_it_should_to_the_bit(alpha: float, kept: str) -> None:
    torch.manual_seed(0)
    parameter, before = nn.Parameter(torch.randn(100)), torch.randn(100)
    expected = before if kept == "start" else parameter.detach().clone()
    refine("wise_ft", linear([[0]], [0]), Trained({"x": parameter}, {"x": before}), alpha=alpha)
    assert torch.equal(parameter, expected)


@value_of("refinement", "soup")
def test_soup_is_the_mean_of_trainings_from_one_start() -> None:
    head = linear([[5.0]], [0.0])  # the run's own: 4 above its start
    start = {"head.weight": torch.tensor([[1.0]]), "head.bias": torch.tensor([3.0])}
    training = Trained(named(head), start, step=lambda parameter, seed_offset: seed_offset)
    refine("soup", head, training, members=3)
    assert head.weight.item() == pytest.approx((5 + (1 + 1) + (1 + 2)) / 3)
    assert head.bias.item() == pytest.approx((0 + (3 + 1) + (3 + 2)) / 3)
    assert all(asked["start"] == [1, 3] for asked in training.asked)
    assert all(asked["sampling_weights"] is asked["lr"] is None for asked in training.asked)


@value_of("refinement", "lt_soups")
def test_lt_soups_merges_from_balanced_to_full() -> None:
    head, encoder = linear([[5.0]], [5.0]), nn.Parameter(torch.tensor([7.0]))
    learned = {**named(head), "backbone.x": encoder}
    start = {name: torch.full_like(p, 1) for name, p in learned.items()}
    training = Trained(learned, start, step=lambda parameter, seed_offset: seed_offset)
    spec = SPECS["lt_soups"]
    config = spec.config(retention=0.25, min_steps=7, epochs=3, lr=0.1)
    built = spec.build(config, parity.context([8, 2, 0], ENCODER))  # ratios 1, 2 and 4
    assert built is not None
    built.refine(ENCODER, head, training)
    # From 1: models at 1 + 1 and 1 + 2, then at 1 + 3 and 1 + 4, then the run's own and 1 + 6.
    merged = 0.25 * (0.25 * (0.25 * 1 + 0.75 * 2.5) + 0.75 * 4.5)
    assert head.weight.item() == pytest.approx(merged + 0.75 * (5 + 7) / 2)
    assert head.bias.item() == head.weight.item()
    assert encoder.item() == pytest.approx(merged + 0.75 * (7 + 7) / 2)
    *models, (last, *_) = training.subsets
    assert models == [(1, 2, 7), (2, 2, 7), (3, 4, 7), (4, 4, 7), (6, None, 7)]
    assert last == 0
    *first, second = training.asked
    assert all(asked["start"] == [1, 1, 1] for asked in first)
    assert all(asked["lr"] is asked["epochs"] is None for asked in first)
    assert (second["epochs"], second["lr"], len(second["start"])) == (3, 0.1, 2)  # the head


@pytest.mark.parametrize(
    ("counts", "subsets", "caps"),
    [
        ((8, 2, 1), None, (1, 2, 4, None)),
        ((9, 2, 1), 2, (8, None)),
        ((9, 2, 1), 99, (1, 2, 4, 8, None)),
        ((3, 3, 0), None, (None,)),
    ],
)
def test_subsets_of_lt_soups_double_until_they_have_all_images(
    counts: tuple[int, ...], subsets: int | None, caps: tuple[int | None, ...]
) -> None:
    spec = SPECS["lt_soups"]
    built: Any = spec.build(spec.config(subsets=subsets), parity.context([*counts], ENCODER))
    assert built.caps == caps


@value_of("refinement", "crt")
def test_crt_learns_the_head_again_from_its_start() -> None:
    head, encoder = linear([[5, 6], [7, 8]], [1, 2]), nn.Parameter(torch.tensor([9.0]))
    start = {"head.weight": torch.eye(2), "head.bias": torch.zeros(2), "backbone.x": torch.zeros(1)}
    training = Trained(
        {"backbone.x": encoder, **named(head)}, start, step=lambda parameter, seed_offset: 0.5
    )
    refine("crt", head, training, epochs=7, lr=0.1)
    (asked,) = training.asked
    weight, bias = asked.pop("start")
    assert torch.equal(weight, torch.eye(2))
    assert torch.equal(bias, torch.zeros(2))
    assert asked.pop("sampling_weights").tolist() == [1, 1]
    assert asked == {"epochs": 7, "lr": 0.1}
    assert torch.equal(head.weight, torch.eye(2) + 0.5)
    assert encoder.item() == 9


@value_of("refinement", "lws")
def test_lws_multiplies_the_learned_factors_in() -> None:
    head = linear([[1, 2], [3, 4]], [5, 6])
    weight, logits = head.weight, head(X)
    factor = torch.tensor([2.0, 0.5])
    training = Trained(named(head), step=lambda parameter, seed_offset: factor - 1)
    refine("lws", head, training, lr=0.1)
    (asked,) = training.asked
    assert [start.tolist() for start in asked.pop("start")] == [[1, 1]]  # one for weight and bias
    assert asked.pop("sampling_weights").tolist() == [1, 1]
    assert asked == {"epochs": 5, "lr": 0.1}  # the epochs of the run
    assert torch.allclose(head(X), factor * logits)
    assert not parametrize.is_parametrized(head)
    assert head.weight is weight
    assert list(head.state_dict()) == ["weight", "bias"]


def test_lws_learns_its_factors_through_the_head() -> None:
    head = linear([[1, 2], [3, 4]], [5, 6])
    gradients = []

    def step(factor: nn.Parameter, seed_offset: int) -> float:
        with torch.enable_grad():
            head(X)[0, 1].backward()
        gradients.append(factor.grad)
        return 0.0

    refine("lws", head, Trained(named(head), step=step))
    assert gradients[0].tolist() == [0, 3 * 1 + 4 * 2 + 6]  # of f (w x + b) by f


@value_of("refinement", "linear_probe")
@pytest.mark.parametrize("present", [[0, 1, 2], [0, 1], [0, 2], [1, 2, 3]])
@pytest.mark.parametrize("balanced", [False, True])
def test_linear_probe_equals_scikit_learn(present: list[int], balanced: bool) -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(present, [20, 8, 3][: len(present)])
    features = (random.normal(size=(len(labels), 5)) + labels[:, None]).astype(np.float32)
    head = linear([[1.0] * 5] * (max(present) + 1), [2.0] * (max(present) + 1))
    found = (torch.from_numpy(features), torch.from_numpy(labels))
    refine("linear_probe", head, Trained(named(head), found=found), balanced=balanced)
    theirs = LogisticRegression(
        C=0.316, max_iter=1000, class_weight="balanced" if balanced else None
    ).fit(features, labels)
    with torch.no_grad():
        logits = head(found[0])
    ours = logits[:, present].softmax(dim=1).numpy()
    assert np.allclose(ours, theirs.predict_proba(features), atol=1e-5)
    absent = sorted(set(range(max(present) + 1)) - set(present))
    assert not head.weight[absent].any()
    assert (logits.argmax(dim=1).numpy() == theirs.predict(features)).all()


@pytest.mark.parametrize("name", ["tau_norm", "lws", "linear_probe"])
def test_a_cosine_head_has_no_norms_to_refine(name: str) -> None:
    head = CosineHead(3, 2, 25.0)
    nn.init.ones_(head.weight)
    with pytest.raises(ConfigError, match=f"'{name}' works on the norms") as raised:
        refinement(name).check(head, named(head))
    assert raised.value.hint == "choose --head linear"


@pytest.mark.parametrize("name", ["tau_norm", "lws", "linear_probe", "ncm", "crt"])
def test_a_linear_head_is_refined_whatever_it_starts_as(name: str) -> None:
    head = linear([[0, 0], [0, 0]], [0, 0])
    refinement(name).check(head, named(head))
    assert not head.weight.any()


@pytest.mark.parametrize("name", ["tau_norm", "lws", "linear_probe", "ncm", "crt"])
def test_a_head_that_is_not_learned_is_not_refined(name: str) -> None:
    with pytest.raises(ConfigError, match="this method does not learn one") as raised:
        refinement(name).check(linear([[1, 2]], [3]), {"backbone.x": nn.Parameter(torch.zeros(1))})
    assert "classifier_only" in raised.value.hint


@pytest.mark.parametrize("name", ["tau_norm", "lws", "linear_probe", "ncm"])
def test_a_head_without_class_weights_is_not_refined(name: str) -> None:
    head = nn.Module()
    head.weight = None
    head.context = nn.Parameter(torch.zeros(2))
    with pytest.raises(ConfigError, match="this head has no learned ones"):
        refinement(name).check(head, named(head))


@pytest.mark.parametrize("name", ["soup", "wise_ft"])
def test_an_average_of_nothing_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match="but this method has none"):
        refinement(name).check(linear([[1]], [0]), {})


@pytest.mark.parametrize("name", ["soup", "lt_soups"])
def test_an_average_of_trainings_needs_one(name: str) -> None:
    spec = SPECS[name]
    with pytest.raises(ConfigError, match=r"trainings, but train\.epochs is 0"):
        spec.build(spec.config(), replace(parity.context([1, 1], ENCODER), epochs=0))


@pytest.mark.parametrize("name", ["crt", "lws"])
def test_a_second_stage_of_no_epochs_is_an_error(name: str) -> None:
    ctx = replace(parity.context([1, 1], ENCODER), epochs=0)
    spec = SPECS[name]
    with pytest.raises(ConfigError, match="got the run's 0 epochs"):
        spec.build(spec.config(), ctx)
    assert spec.build(spec.config(epochs=3), ctx) is not None
