"""Optimizer and schedule of plugins, with checks of what they return."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ltbench.protocols import ParameterGroup
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component


@dataclass(frozen=True)
class GroupRule:
    """Treatment of a learned parameter by the optimizer; see `ltbench.protocols.ParameterGroup`.

    Attributes:
        lr_factor: Factor of the learning rate.
        decays: Whether weight decay applies.
    """

    lr_factor: float = 1.0
    decays: bool = True


def ungrouped(
    returned: Iterable[nn.Parameter | ParameterGroup], component: Component
) -> tuple[list[nn.Parameter], dict[nn.Parameter, GroupRule]]:
    """Returns the parameters that a method learns, and the rules of those in groups.

    Args:
        returned: Return value of the method's `apply`.
        component: The method.

    Raises:
        PluginError: A factor is not finite and >= 0, or a parameter is returned with two rules.
    """
    learned: list[nn.Parameter] = []
    rules: dict[nn.Parameter, GroupRule] = {}
    for one in returned:
        group = one if isinstance(one, ParameterGroup) else ParameterGroup((one,))
        rule = GroupRule(group.lr_factor, group.decays)
        if not (math.isfinite(rule.lr_factor) and rule.lr_factor >= 0):
            raise component.contract_error(
                f"returned a group with lr_factor={rule.lr_factor!r}: expected a number >= 0"
            )
        for parameter in group.parameters:
            if rules.setdefault(parameter, rule) != rule:
                raise component.contract_error("returned a parameter in two groups")
            learned.append(parameter)
    return learned, rules


class CheckedOptimizer:
    """A plugin's optimizer.

    Args:
        optimizer: Return value of the spec's `build`.
        component: The component.
        rules: Treatment of parameters, by name; those that are missing have the default.
    """

    def __init__(
        self, optimizer: Any, component: Component, rules: Mapping[str, GroupRule]
    ) -> None:
        self._optimizer = optimizer
        self._component = component
        self._rules = rules

    def __call__(self, learned: Mapping[str, nn.Parameter], lr: float) -> torch.optim.Optimizer:
        """Returns an optimizer of the learned parameters.

        Args:
            learned: Parameters by name.
            lr: Learning rate.

        Raises:
            PluginError: It is not an optimizer of these parameters.
        """
        with attribute_errors(self._component):
            made = self._optimizer(self._groups(learned), lr)
        if not isinstance(made, torch.optim.Optimizer):
            fault = f"returned a {type(made).__name__}, not a torch.optim.Optimizer"
            raise self._component.contract_error(fault)
        taken = {id(parameter) for group in made.param_groups for parameter in group["params"]}
        if taken != {id(parameter) for parameter in learned.values()}:
            raise self._component.contract_error("made an optimizer of other parameters")
        return made

    def _groups(self, learned: Mapping[str, nn.Parameter]) -> list[dict[str, Any]]:
        """Returns the parameters by rule, in the order of the model."""
        members: dict[GroupRule, list[nn.Parameter]] = {}
        for name, parameter in learned.items():
            members.setdefault(self._rules.get(name, GroupRule()), []).append(parameter)
        return [
            {
                "params": parameters,
                "lr_factor": rule.lr_factor,
                **({} if rule.decays else {"weight_decay": 0.0}),
            }
            for rule, parameters in members.items()
        ]


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Writes a learning rate, times each group's factor, into an optimizer."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_factor"]


class CheckedSchedule:
    """A plugin's schedule.

    Args:
        schedule: Return value of the spec's `build`.
        component: The component.
    """

    def __init__(self, schedule: Any, component: Component) -> None:
        self._schedule = schedule
        self._component = component

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Returns the factor of the learning rate in a step.

        Raises:
            PluginError: It is not a finite number >= 0.
        """
        with attribute_errors(self._component):
            factor = self._schedule(step, steps_per_epoch, epochs)
        if not isinstance(factor, float | int) or not (math.isfinite(factor) and factor >= 0):
            raise self._component.contract_error(
                f"returned {factor!r} for step {step}, not a finite number >= 0"
            )
        return factor
