from __future__ import annotations

import pytest

from ltbench.report.figures.scales import Scale, format_ticks, nice_ticks, percent_scale

NAN = float("nan")


def test_a_scale_is_linear_in_both_directions() -> None:
    scale = Scale(0, 100, 20, 10)
    assert scale([0, 50, 100]) == pytest.approx([20, 15, 10])
    assert scale.at(25) == 17.5


def test_ticks_are_round_and_at_most_a_number() -> None:
    assert nice_ticks(0, 100, 5) == [0, 20, 40, 60, 80, 100]
    assert nice_ticks(71, 79, 4) == [72, 74, 76, 78]
    assert nice_ticks(1, 3, 6, whole=True) == [1, 2, 3]
    assert len(nice_ticks(74.2, 78.9, 2)) == 2


def test_percentages_have_no_ticks_beyond_their_range() -> None:
    scale = percent_scale([NAN, 95, 100], 0, 300)
    assert scale.low < 95
    assert scale.high > 100
    assert max(scale.ticks) == 100


def test_a_scale_is_as_wide_as_others() -> None:
    scale = percent_scale([50, 51], 0, 100, span=10)
    assert scale.high - scale.low >= 10
    assert scale.at(50.5) == pytest.approx(50)


@pytest.mark.parametrize("values", [[], [NAN], [50, 50]])
def test_any_values_have_a_scale(values: list[float]) -> None:
    scale = percent_scale(values, 0, 100)
    assert scale.high > scale.low


def test_ticks_have_equal_decimals() -> None:
    assert format_ticks([-1, 0, 0.5]) == ["−1.0", "0.0", "0.5"]  # noqa: RUF001
    assert format_ticks([1000, 2000]) == ["1,000", "2,000"]
