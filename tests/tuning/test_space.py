from __future__ import annotations

from typing import Any

import pytest

from ltbench.tuning.space import Choices, Range, Space, same_settings

EPOCHS = Range("train.epochs", 5, 8, log=False, whole=True)
RATE = Range("train.lr", 0.001, 0.1, log=True, whole=False)
WIDTHS = Range("method.dim", 1, 64, log=True, whole=True)


@pytest.mark.parametrize(
    ("dimension", "share", "value"),
    [
        (RATE, 0.0, 0.001),
        (RATE, 0.5, 0.01),
        (RATE, 1.0, 0.1),
        (RATE, 0.123, 0.00176),
        (EPOCHS, 0.0, 5),
        (EPOCHS, 0.25, 6),
        (EPOCHS, 0.999, 8),
        (EPOCHS, 1.0, 8),
        (WIDTHS, 0.5, 8),
        (Range("loss.tau", 0.0, 2.0, log=False, whole=False), 0.25, 0.5),
        (Choices("loss", ("ce", "focal")), 0.49, "ce"),
        (Choices("loss", ("ce", "focal")), 0.5, "focal"),
    ],
)
def test_a_share_of_a_dimension_is_a_value(
    dimension: Range | Choices, share: float, value: Any
) -> None:
    assert dimension.at(share) == value
    assert type(dimension.at(share)) is type(value)


def test_values_have_the_type_of_the_setting() -> None:
    assert EPOCHS.contains(6)
    assert not EPOCHS.contains(6.0)
    assert not EPOCHS.contains(True)
    assert not EPOCHS.contains(9)
    assert RATE.contains(0.02)
    assert not RATE.contains("0.02")
    assert not Choices("a", (1, None)).contains(True)


def test_ends_of_a_range_are_edges() -> None:
    assert [RATE.is_edge(one) for one in (0.001, 0.00110, 0.01, 0.09)] == [True, True, False, True]
    assert [EPOCHS.is_edge(one) for one in (5, 6, 8)] == [True, False, True]
    rates = Choices("train.lr", (0.1, 0.3, 1.0))
    assert [rates.is_edge(one) for one in rates.values] == [True, False, True]
    assert not Choices("loss", ("ce", "focal", "vs")).is_edge("ce")
    assert not Choices("method.dim", (4, 8)).is_edge(4)  # both ends of two are no news


def test_a_finite_space_has_points() -> None:
    space = Space("m", (Choices("loss", ("ce", "vs")), EPOCHS), None)
    points = list(space.points())
    assert space.size == len(points) == 8
    assert points[1] == {"loss": "ce", "train.epochs": 6}
    assert all(space.contains(point) for point in points)
    assert not space.contains({"loss": "ce"})
    assert Space("m", (RATE, EPOCHS), None).size is None


def test_true_is_not_one() -> None:
    assert same_settings({"a": 1}, {"a": 1.0})
    assert not same_settings({"a": 1}, {"a": True})
    assert not same_settings({"a": 1}, {"b": 1})


def test_dimensions_are_shown_as_typed() -> None:
    assert [str(one) for one in (RATE, EPOCHS, Choices("method.dim", (4, None)))] == [
        "log:0.001..0.1",
        "5..8",
        "4, none",
    ]
