"""Optimizers and schedules of plugins: groups, factors, and what is wrong with what they return."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ltbench.engine.building.checked_optimizer import (
    CheckedOptimizer,
    CheckedSchedule,
    GroupRule,
    set_learning_rate,
    ungrouped,
)
from ltbench.errors import PluginError
from ltbench.protocols import ParameterGroup
from tests.strangers import component

METHOD = component("method")


def weights(*names: str) -> dict[str, nn.Parameter]:
    return {name: nn.Parameter(torch.ones(2)) for name in names}


def sgd(groups: list[dict[str, Any]], lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=lr, weight_decay=0.5)


def test_parameters_and_groups_may_be_mixed() -> None:
    a, b, c = weights("a", "b", "c").values()
    learned, rules = ungrouped([a, ParameterGroup([b, c], 0.1, decays=False), a], METHOD)
    assert [id(one) for one in learned] == [id(one) for one in (a, b, c, a)]
    assert rules == {a: GroupRule(), b: GroupRule(0.1, False), c: GroupRule(0.1, False)}


@pytest.mark.parametrize("factor", [-1.0, float("nan"), float("inf")])
def test_a_factor_is_finite_and_not_negative(factor: float) -> None:
    with pytest.raises(PluginError, match="expected a number >= 0"):
        ungrouped([ParameterGroup(list(weights("a").values()), factor)], METHOD)


def test_a_parameter_has_one_rule() -> None:
    (a,) = weights("a").values()
    with pytest.raises(PluginError, match="returned a parameter in two groups"):
        ungrouped([a, ParameterGroup([a], 0.1)], METHOD)


def test_equal_rules_are_one_group_in_the_order_of_the_model() -> None:
    learned = weights("a", "b", "c", "d")
    rules = {"b": GroupRule(0.1), "c": GroupRule(), "d": GroupRule(0.1)}
    made = CheckedOptimizer(sgd, component("optimizer"), rules)(learned, 0.2)
    found = [[id(p) for p in group["params"]] for group in made.param_groups]
    a, b, c, d = map(id, learned.values())
    assert found == [[a, c], [b, d]]
    plain = CheckedOptimizer(sgd, component("optimizer"), {})(learned, 0.2)
    assert [[id(p) for p in group["params"]] for group in plain.param_groups] == [[a, b, c, d]]


def test_groups_follow_the_rate_times_their_factor_and_may_not_decay() -> None:
    learned = weights("plain", "slow", "undecayed")
    rules = {"slow": GroupRule(lr_factor=0.1), "undecayed": GroupRule(decays=False)}
    optimizer = CheckedOptimizer(sgd, component("optimizer"), rules)(learned, 99.0)
    set_learning_rate(optimizer, 0.2)
    for weight in learned.values():
        weight.grad = torch.ones(2)
    optimizer.step()
    # 1 - lr * (1 + 0.5)
    found = [weight[0].item() for weight in learned.values()]
    assert found == pytest.approx([1 - 0.2 * 1.5, 1 - 0.02 * 1.5, 1 - 0.2])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda groups, lr: None, "returned a NoneType, not a torch.optim.Optimizer"),
        (lambda groups, lr: sgd([{"params": [nn.Parameter(torch.ones(2))]}], lr), "of other"),
        (lambda groups: None, "raised TypeError"),
    ],
)
def test_an_optimizer_is_one_of_the_learned_parameters(made: Any, said: str) -> None:
    with pytest.raises(PluginError, match=said) as raised:
        CheckedOptimizer(made, component("optimizer"), {})(weights("a"), 0.1)
    assert "optimizer 'strange' of plugin stranger" in raised.value.message


@pytest.mark.parametrize("factor", [None, -0.1, float("nan"), float("inf"), "1"])
def test_a_factor_of_a_schedule_is_a_finite_number(factor: Any) -> None:
    checked = CheckedSchedule(lambda step, steps, epochs: factor, component("schedule"))
    with pytest.raises(PluginError, match="for step 3, not a finite number >= 0"):
        checked(3, 5, 2)
