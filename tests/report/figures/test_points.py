"""Figures with one point, row or cell per method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.lines import Line2D

from ltbench.report.figures import (
    Taker,
    draw_critical_difference,
    draw_narrow_shot_groups,
    draw_score_grid,
    draw_shot_groups,
    draw_significance_matrix,
    draw_takers,
    draw_trade_off,
)
from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.style import WIDE_WIDTH
from ltbench.report.figures.trade_off import pareto_front
from tests.report.figures import drawn
from tests.report.figures.drawn import xs, ys

NAN = np.nan


def texts(figure: Canvas) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def bold(figure: Canvas) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]


def dots(figure: Canvas) -> list[Line2D]:
    return [line for line in figure.axes[0].lines if line.get_marker() not in ("None", "")]


@pytest.mark.parametrize("draw", [draw_shot_groups, draw_narrow_shot_groups])
def test_shot_groups_have_numbers_of_which_the_best_is_bold(draw: Callable[..., Canvas]) -> None:
    means = np.array([[80.25, 61], [70, NAN]])
    figure = draw(["a", "b"], ["overall", "few-shot"], means, means - 1, means + 2, ranks=[1, 2])
    assert {"a", "b", "1", "2", "80.2", "61.0", "70.0"} <= set(texts(figure))
    assert {"80.2", "61.0"} <= set(bold(figure))
    assert "70.0" not in bold(figure)


def test_shot_groups_are_dots_with_intervals() -> None:
    means = np.array([[80, 60], [70, NAN]])
    figure = draw_shot_groups(["a", "b"], ["overall", "few"], means, means - 1, means + 2)
    assert list(figure.tips.values()) == [
        "a, overall: 80.0 % (interval 79.0 to 82.0)",
        "b, overall: 70.0 % (interval 69.0 to 72.0)",
        "a, few: 60.0 % (interval 59.0 to 62.0)",
        "b, few: unknown",
    ]
    a, b, few, nothing = dots(figure)
    assert ys(a)[0] < ys(b)[0]  # the first at the top
    assert ys(a)[0] == ys(few)[0]
    assert np.isnan(xs(nothing)[0])


def test_panels_span_the_same_number_of_points() -> None:
    means = np.array([[80, 50], [70, 49.0]])
    a, b, c, d = dots(draw_shot_groups(["a", "b"], ["overall", "few"], means, means, means))
    wide, narrow = (xs(one)[0] - xs(two)[0] for one, two in ((a, b), (c, d)))
    assert wide == pytest.approx(10 * narrow)


def test_a_phone_shows_the_ranked_metric_first_and_all_images_as_a_bar() -> None:
    means = np.array([[61, 80.0, 90, 70]])
    metrics = ["few-shot", "overall", "many-shot", "medium-shot"]
    figure = draw_narrow_shot_groups(["a"], metrics, means, means, means)
    assert {"few", "all", "many", "med."} <= set(texts(figure))
    assert [line.get_marker() for line in dots(figure)] == ["D", "o", "s"] * 2


def test_ticks_have_room_for_their_texts() -> None:
    means = np.array([[98.0, 95, 99, 98]])
    figure = draw_shot_groups(["a"], drawn.METRICS[:4], means, means - 8, means + 1)
    ticks = [text for text in figure.axes[0].texts if text.get_text() in ("85", "90", "95", "100")]
    places = sorted(text.get_position()[0] for text in ticks)
    assert min(np.diff(places)) > 18


def test_a_wide_figure_has_room_for_numbers_of_all_metrics() -> None:
    means = np.array([[80.25, 61, 50, 40, 30]])
    small = draw_shot_groups(["a_name_of_a_method"], drawn.METRICS, means, means, means)
    wide = draw_shot_groups(
        ["a_name_of_a_method"], drawn.METRICS, means, means, means, width=WIDE_WIDTH
    )
    numbers = {"80.2", "61.0", "50.0", "40.0", "30.0"}
    assert not numbers & set(texts(small))
    assert numbers <= set(texts(wide))


def test_methods_beyond_the_last_row_are_named() -> None:
    figure = drawn.shot_groups(60)
    said = " ".join(text for text in texts(figure) if "more:" in text or "arbitrary" in text)
    assert "20 more:" in said
    assert "arbitrary_lightweight ⁵⁷" in said


def test_the_pareto_front_is_what_nothing_beats() -> None:
    cost = np.array([0, 10, 10, 20, 30, NAN])
    accuracy = np.array([50, 60, 70, 65, 80, 99.0])
    assert pareto_front(cost, accuracy).tolist() == [0, 2, 4]
    assert pareto_front(np.array([NAN]), np.array([1.0])).size == 0


def test_zero_has_a_place_left_of_all_other_costs() -> None:
    accuracy = np.array([50, 60.0])
    figure = draw_trade_off(
        ["zero", "full"], accuracy, accuracy, accuracy, np.array([0, 1e6]), "cost"
    )
    full, zero = dots(figure)
    assert xs(zero)[0] < xs(full)[0]
    assert {"0", "1M", "zero", "full"} <= set(texts(figure))
    assert list(figure.tips.values()) == [
        "full: 60.0 % (interval 60.0 to 60.0), cost 1e+06",
        "zero: 50.0 % (interval 50.0 to 50.0), cost 0",
    ]


def test_methods_without_a_cost_are_left_out() -> None:
    accuracy = np.array([50, 60.0])
    figure = draw_trade_off(["a", "b"], accuracy, accuracy, accuracy, np.array([NAN, 5]), "cost")
    assert "a" not in texts(figure)
    assert len(dots(figure)) == 1


def test_of_many_methods_the_first_and_the_front_are_named() -> None:
    figure = drawn.trade_off(60)
    named = [text for text in texts(figure) if "_" in text or text == "full"]
    assert {"lift_plus", "full", "classifier_only"} <= set(named)
    assert len(named) < 40
    assert len(figure.tips) >= 60


def test_ranks_lie_on_the_axis_the_best_at_the_right() -> None:
    figure = draw_critical_difference(["a", "b", "c"], np.array([1.5, 3.0, 1.0]), 1.0, [(2, 0)])
    at = {line.get_marker(): xs(line)[0] for line in dots(figure)}
    a, b, c = at["o"], at["s"], at["^"]
    assert b < a < c
    assert c - a == pytest.approx((c - b) / 4)
    (bar,) = [line for line in figure.axes[0].lines if line.get_linewidth() > 3]
    assert np.allclose(xs(bar), [a - 3, c + 3])
    assert {"a", "1.5", "b", "3.0", "c", "critical difference 1.00"} <= set(texts(figure))
    assert "c: average rank 1.00" in figure.tips.values()


def test_bars_that_overlap_are_at_different_levels() -> None:
    groups = [(0, 1, 2, 3), (2, 3, 4), (4, 5), (6, 7)]
    figure = draw_critical_difference(list("abcdefgh"), np.arange(1.0, 9.0), 3.5, groups)
    bars = [line for line in figure.axes[0].lines if line.get_linewidth() > 3]
    first, second, third, fourth = (ys(line)[0] for line in bars)
    assert first < second
    assert third == first  # which ends at rank 4, and this begins at 5
    assert fourth == first


@pytest.mark.parametrize("names", [[f"m{i}" for i in range(40)], [f"x{i}" * 9 for i in range(8)]])
def test_ranks_of_many_or_long_names_have_rows(names: list[str]) -> None:
    k = len(names)
    figure = draw_critical_difference(names, np.arange(1.0, k + 1), 3.0, [(0, 1, 2), (2, 3)])
    rows = [ys(line)[0] for line in dots(figure)]
    assert len(rows) == k
    assert rows == sorted(rows)
    bars = [tip for tip in figure.tips.values() if "do not differ" in tip]
    assert bars[0] == "3 methods that do not differ significantly"


def test_stairs_have_each_difference_once_and_mark_the_significant() -> None:
    differences = np.array([[0, 3.25, -0.04], [-3.25, 0, 12.3], [0.04, -12.3, 0]])
    p = np.array([[1, 0.0001, 0.9], [0.0001, 1, 0.2], [0.9, 0.2, NAN]])
    figure = draw_significance_matrix(["a", "b", "c"], differences, p)
    numbers = [text for text in texts(figure) if text[-1].isdigit()]
    assert numbers == ["+3.2", "0.0", "+12"]
    assert bold(figure) == ["+3.2"]
    assert list(figure.tips.values()) == [
        "a minus b: +3.2 points, p < 0.001, significant",
        "a minus c: 0.0 points, p 0.900, not significant",
        "b minus c: +12 points, p 0.200, not significant",
    ]
    strong, _, weak, *_ = figure.axes[0].patches
    assert (strong.get_alpha() or 0) > (weak.get_alpha() or 1) / 3


def test_stairs_of_many_methods_have_names_and_no_numbers() -> None:
    figure = drawn.significance_matrix(60)
    assert not [text for text in texts(figure) if text[-1].isdigit() and text[0] in "+-"]
    assert len(figure.tips) >= 60 * 59 / 2


def test_a_grid_of_data_sets_has_a_number_in_each_cell() -> None:
    scores = np.array([[80, 50.0], [85, NAN], [60, 40]])
    figure = draw_score_grid(
        ["a", "b", "c"], ["first", "second"], scores, average_ranks=np.array([1.5, 2, 2.5])
    )
    assert {"80.0", "85.0", "60.0", "50.0", "40.0", "1.5", "first", "second"} <= set(texts(figure))
    assert bold(figure) == ["85.0", "50.0"]
    assert "a on first: 80.0 %, -5.0 to the best" in figure.tips.values()


def test_methods_without_a_row_of_the_grid_have_a_mean() -> None:
    scores = np.full((62, 2), 50.0)
    scores[60], scores[61] = (40, NAN), NAN
    figure = draw_score_grid([f"m{i}" for i in range(62)], ["first", "second"], scores)
    assert "2 more: m60 40.0, m61 –." in texts(figure)  # noqa: RUF001


def test_takers_are_parts_of_a_bar() -> None:
    figure = draw_takers(
        ["owl", "gull"],
        np.array([5, 7]),
        np.array([20.0, NAN]),
        [[Taker("crow", "many", 50.0), Taker("jay", "few", 10.0)], []],
    )
    assert list(figure.tips.values()) == [
        "owl: 20.0 % correct",
        "owl: 50.0 % taken by crow (many)",
        "owl: 10.0 % taken by jay (few)",
        "owl: 20.0 % taken by other classes",
    ]
    widths = [patch.get_extents().width for patch in figure.axes[0].patches[:4]]
    assert widths[1] > widths[0] > widths[2]
    assert {"owl", "5", "crow", "20 %", "no test images"} <= set(texts(figure))
