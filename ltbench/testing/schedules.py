"""Checks of schedules."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ltbench.registry.component import Component
from ltbench.testing.bench import Bench, Trial, context, trials
from ltbench.testing.check import Check, bind

TRAININGS = ((1, 1), (1, 5), (7, 1), (7, 5), (450, 10))
"""Steps per epoch, and epochs."""


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks."""
    functions = (check_factors, check_function_of_the_step)
    for trial in trials(component):
        yield from bind(f"schedule {trial.name}", functions, component, bench, trial)


def _factors(
    component: Component, bench: Bench, trial: Trial, steps: int, epochs: int
) -> list[float]:
    schedule = component.spec.build(bench.config(trial, component), context((6, 3, 1, 0)))
    return [schedule(step, steps, epochs) for step in range(steps * epochs)]


def check_factors(component: Component, bench: Bench, trial: Trial) -> None:
    """Its factors are finite and not negative in every step, however long the training."""
    for steps, epochs in TRAININGS:
        factors = _factors(component, bench, trial, steps, epochs)
        wrong = [one for one in factors if not (math.isfinite(one) and one >= 0)]
        assert not wrong, f"{epochs} epochs of {steps} steps: {wrong[0]}"
        assert any(factors), f"{epochs} epochs of {steps} steps: nothing is learned"


def check_function_of_the_step(component: Component, bench: Bench, trial: Trial) -> None:
    """It is a function of the step alone: a resumed training gets the same factors."""
    for steps, epochs in TRAININGS[:-1]:
        whole = _factors(component, bench, trial, steps, epochs)
        schedule = component.spec.build(bench.config(trial, component), context((6, 3, 1, 0)))
        for step in reversed(range(steps * epochs)):
            factor = schedule(step, steps, epochs)
            assert factor == whole[step], f"step {step}: {whole[step]}, then {factor}"
