"""Cells of a ranking as curves over the learned share of the encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.analysis.leaderboard.share_curves import ShareCurves, share_curves
from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs
from tests.runs import spec_of, store


class Stored:
    """Runs that differ in the learned weights of the encoder, of 1000."""

    def __init__(self, out: Path, registry: Registry) -> None:
        self.out, self.registry = out, registry

    def add(self, encoder: int, skill: float = 1.0, val: float = 50.0, **settings: Any) -> None:
        learned = {"encoder": encoder, "total": encoder + 6}
        selection = {"scores": [val - 1, val]} if settings.get("select") == "val" else {}
        selection |= {"criterion": "mean_class"} if selection else {}
        store(
            self.out,
            spec_of(self.registry, **settings),
            skill=skill,
            changed={"learned": learned, "selection": selection},
        )

    def curves(self) -> ShareCurves | None:
        board = build_leaderboard(find_runs([self.out]).cells(), self.registry)
        (ranking,) = board.rankings
        return share_curves(ranking)


@pytest.fixture
def stored(tmp_path: Path, registry: Registry) -> Stored:
    return Stored(tmp_path, registry)


def test_a_method_with_two_shares_is_no_curve(stored: Stored) -> None:
    for layers in (1, 2):
        stored.add(layers, method="full", method__layers=layers)
    for rate in (0.01, 0.02, 0.03):
        stored.add(3, method="lora", train__lr=rate)
    assert stored.curves() is None


def test_shares_ascend_and_the_head_alone_is_an_end(stored: Stored) -> None:
    for layers in (2, 1, "all"):
        encoder = 600 if layers == "all" else 100 * int(layers)
        stored.add(encoder, method="full", method__layers=layers)
    stored.add(0, method="classifier_only")
    stored.add(0, method="classifier_only", loss="ce")  # under no curve's conditions
    found = stored.curves()
    assert found is not None
    (curve,), (end,) = found.curves, found.ends
    assert (curve.name, curve.option) == ("full", "method.layers")
    assert [point.share for point in curve.points] == [10.0, 20.0, 60.0]
    assert (end.name, [point.share for point in end.points]) == ("classifier_only", [0.0])
    assert found.chosen_on is None
    assert not found.optimistic


def test_the_option_with_the_most_shares_is_the_axis(stored: Stored) -> None:
    for part, size in (("both", 3), ("attention", 1), ("mlp", 2)):
        for ratio in (0.01, 0.02, 0.1, 0.5):
            stored.add(
                int(1000 * ratio) * size, method="aft", method__ratio=ratio, method__part=part
            )
    found = stored.curves()
    assert found is not None
    assert {curve.option for curve in found.curves} == {"method.ratio"}
    assert {curve.name for curve in found.curves} == {
        "aft",
        "aft (method.part=attention)",
        "aft (method.part=mlp)",
    }
    assert [len(curve.points) for curve in found.curves] == [4, 4, 4]


def test_the_rate_of_a_share_is_chosen_on_val_where_val_was_scored(stored: Stored) -> None:
    for layers in (1, 2, 3):
        for rate, skill, val in ((0.001, 2.0, 60.0), (0.01, 0.0, 70.0)):
            stored.add(
                layers,
                skill,
                val,
                method="full",
                method__layers=layers,
                train__lr=rate,
                select="val",
            )
    found = stored.curves()
    assert found is not None
    assert (found.chosen_on, found.criterion, found.optimistic) == ("val", "mean_class", False)
    for point in found.curves[0].points:
        assert (point.rate, point.score, point.rates) == (0.01, 70.0, [0.001, 0.01])
        (other,) = point.others
        assert other.cell.mean("accuracy") > point.entry.cell.mean("accuracy")  # type: ignore[operator]


def test_a_choice_on_the_split_that_is_shown_is_optimistic(stored: Stored) -> None:
    for layers in (1, 2, 3):
        for rate, skill in ((0.001, 2.0), (0.01, 0.0)):
            stored.add(layers, skill, method="full", method__layers=layers, train__lr=rate)
    found = stored.curves()
    assert found is not None
    assert (found.chosen_on, found.criterion, found.optimistic) == ("test", "accuracy", True)
    assert [point.rate for point in found.curves[0].points] == [0.001] * 3
