from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from ltbench.errors import ConfigError
from ltbench.tuning.samplers import STARTUP_TRIALS, expect_points, propose
from ltbench.tuning.space import Choices, Range, Space, same_settings
from ltbench.tuning.study_file import TrialRecord
from tests.tuning.records import DIM, RATE, SPACE, trial

FINITE = Space("lift_plus", (DIM, Choices("loss", ("ce", "vs"))), {"method.dim": 8, "loss": "vs"})


def searched(
    space: Space,
    sampler: Any,
    budget: int,
    seed: int = 0,
    score: Callable[[dict[str, Any]], float] = lambda settings: 50.0,
) -> list[TrialRecord]:
    trials: list[TrialRecord] = []
    while len(trials) < budget:
        settings = propose(space, sampler, seed, trials)
        if settings is None:
            break
        trials.append(trial(len(trials), settings, value=score(settings)))
    return trials


def test_a_grid_has_all_points_in_order() -> None:
    trials = searched(FINITE, "grid", 10)
    assert [one.settings for one in trials] == list(FINITE.points())


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_recipe_is_first_and_no_point_comes_twice(sampler: str) -> None:
    trials = searched(FINITE, sampler, 10)
    assert trials[0].settings == FINITE.start
    assert len(trials) == FINITE.size == 6
    points = [one.settings for one in trials]
    assert all(any(same_settings(one, point) for one in points) for point in FINITE.points())


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_proposals_follow_from_the_seed_and_the_earlier_trials(sampler: str) -> None:
    trials = searched(SPACE, sampler, 8)
    again = [propose(SPACE, sampler, 0, trials[:number]) for number in range(8)]
    assert again == [one.settings for one in trials]
    assert propose(SPACE, sampler, 1, trials[:1]) != trials[1].settings
    assert all(SPACE.contains(one.settings) for one in trials)


def test_methods_are_tried_with_the_same_multiples_of_their_recipes() -> None:
    other = Space("full", (Range("train.lr", 0.0001, 0.01, log=True, whole=False),), None)
    own = Space("lift_plus", (RATE,), None)
    for number in range(4):
        earlier = searched(own, "random", number)
        first, second = propose(own, "random", 0, earlier), propose(other, "random", 0, earlier)
        assert first is not None
        assert second is not None
        assert first["train.lr"] / second["train.lr"] == pytest.approx(10, rel=0.01)


@pytest.mark.full
def test_tpe_tries_where_scores_are_high() -> None:
    def score(settings: dict[str, Any]) -> float:
        return 90.0 if settings["train.lr"] > 0.03 and settings["method.dim"] == 8 else 10.0

    def hits(sampler: str) -> int:
        late = searched(SPACE, sampler, 30, score=score)[STARTUP_TRIALS:]
        return sum(one.value == 90.0 for one in late)

    assert hits("tpe") > 2 * hits("random")


def test_tpe_takes_pruned_and_failed_trials() -> None:
    earlier = [
        trial(0, {"train.lr": 0.02, "method.dim": None}),
        trial(1, {"train.lr": 0.09, "method.dim": 4}, value=None, state="failed"),
        trial(2, {"train.lr": 0.002, "method.dim": 8}, value=None, scores=[20.0, 30.0]),
        trial(3, {"train.lr": 0.05, "method.dim": 8}),
        trial(4, {"train.lr": 0.001, "method.dim": 8}, value=None, state="failed"),
    ]
    settings = propose(SPACE, "tpe", 0, earlier)
    assert settings is not None
    assert SPACE.contains(settings)


def test_a_grid_is_finite_and_within_the_budget() -> None:
    with pytest.raises(ConfigError, match=r"2 faults[\s\S]*train.lr has a range[\s\S]*6 points"):
        expect_points([SPACE, FINITE], "grid", 5)
    expect_points([FINITE], "grid", 6)
    expect_points([SPACE], "random", 1)


def test_tpe_without_optuna_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs optuna") as error:
        expect_points([SPACE], "tpe", 5)
    assert error.value.hint == "pip install 'ltbench[tune]'"


def test_other_samplers_import_no_optuna() -> None:
    before = "optuna" in sys.modules
    searched(SPACE, "random", 10)
    assert ("optuna" in sys.modules) == before
