"""Figures with one point or cell per method."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from ltbench.report.figures import (
    draw_critical_difference,
    draw_shot_groups,
    draw_significance_matrix,
    draw_trade_off,
)
from ltbench.report.figures.trade_off import pareto_front
from tests.report.figures import drawn

NAN = np.nan


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_shot_groups_are_dots_with_intervals() -> None:
    means = np.array([[80, 60], [70, NAN]])
    figure = draw_shot_groups(["a", "b"], ["many", "few"], means, means - 1, means + 2)
    axes = figure.axes[0]
    many, few = axes.lines
    assert list(many.get_xdata()) == [80, 70]
    np.testing.assert_array_equal(few.get_xdata(), [60, NAN])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    first = axes.collections[0].get_segments()[0]
    assert first[:, 0].tolist() == [79, 82]
    assert first[0, 1] == many.get_ydata()[0]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first at the top


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
    axes = figure.axes[0]
    points = [line for line in axes.lines if line.get_marker() in ("o", "s")]
    zero, full = (line.get_xdata()[0] for line in points)
    assert axes.get_xlim()[0] < zero < full == 1e6
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[0] == "0"
    assert "1M" in labels
    assert axes.get_xticks()[0] == zero
    assert texts(figure) == ["zero", "full"]


def test_labels_do_not_lie_on_each_other_or_on_points() -> None:
    accuracy = np.array([70, 70.1, 70.2, 75])
    cost = np.array([1000, 1100, 1050, 5000.0])
    nothing = np.full(4, NAN)
    figure = draw_trade_off(drawn.SOME, accuracy, nothing, nothing, cost, "cost")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    # An annotation's own box has its leader in it: of the text alone.
    extents = [Text.get_window_extent(text) for text in axes.texts]
    points = axes.transData.transform(np.column_stack([cost, accuracy]))
    for i, box in enumerate(extents):
        assert not any(box.overlaps(other) for other in extents[:i])
        assert not any(box.contains(*point) for point in points)


def test_many_methods_have_numbers_and_a_legend() -> None:
    figure = drawn.trade_off(20)
    assert texts(figure) == [str(i) for i in range(1, 21)]
    assert figure.legends[0].get_texts()[0].get_text() == "1: lift_plus"


def test_ranks_lie_on_the_axis_the_best_at_the_right() -> None:
    figure = draw_critical_difference(["a", "b", "c"], np.array([1.5, 3.0, 1.0]), 1.0, [(2, 0)])
    lines = figure.axes[0].lines
    at = {len(line.get_xdata()): [] for line in lines}
    for line in lines:
        at[len(line.get_xdata())].append(line.get_xdata())
    b, c, a = (x[0] for x in at[3])  # connectors: left ones, then right ones from the best
    unit = (c - b) / 2
    assert unit > 0
    assert np.isclose(c - a, unit / 2)
    (bar,) = [line for line in lines if line.get_linewidth() > 3]
    assert np.allclose(bar.get_xdata(), [a - 3, c + 3])
    assert {"a 1.5", "b 3.0", "c 1.0", "CD = 1.00", "better"} <= set(texts(figure))
    ruler = next(line for line in lines if list(line.get_ydata()) == [-34, -34])
    assert np.isclose(np.ptp(ruler.get_xdata()), unit)


def test_bars_that_overlap_are_at_different_levels() -> None:
    groups = [(0, 1, 2, 3), (2, 3, 4), (4, 5), (6, 7)]
    figure = draw_critical_difference(drawn.names(8), np.arange(1.0, 9.0), 3.5, groups)
    bars = [line for line in figure.axes[0].lines if line.get_linewidth() > 3]
    first, second, third, fourth = (line.get_ydata()[0] for line in bars)
    assert first < second
    assert third == first  # which ends at rank 4, and this begins at 5
    assert fourth == first


def test_a_matrix_has_differences_and_marks_the_significant() -> None:
    differences = np.array([[0, 3.25, -0.04], [-3.25, 0, 12.3], [0.04, -12.3, 0]])
    p = np.array([[1, 0.01, 0.9], [0.01, 1, 0.2], [0.9, 0.2, 1]])
    figure = draw_significance_matrix(["a", "b", "c"], differences, p)
    axes = figure.axes[0]
    assert texts(figure) == ["+3.2", "0.0", "−3.2", "+12", "0.0", "−12"]  # noqa: RUF001
    assert [text.get_color() for text in axes.texts] == ["black", "0.3", "black"] + 3 * ["0.3"]
    assert [tuple(np.floor(patch.get_xy()[0])) for patch in axes.patches] == [(1, 0), (0, 1)]
    shown = axes.collections[0].get_array()
    assert shown.ravel()[1] == 3.25
    assert np.ma.getmaskarray(shown).ravel()[[0, 4, 8]].all()


def test_a_large_matrix_has_a_scale_instead_of_numbers() -> None:
    figure = drawn.significance_matrix(20)
    assert texts(figure) == []
    assert len(figure.axes) == 2
