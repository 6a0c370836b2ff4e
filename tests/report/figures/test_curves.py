"""Figures with one line per method."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ltbench.report.figures import draw_calibration, draw_head_to_tail, draw_training_curves
from ltbench.report.figures.head_to_tail import running_mean, window_size
from tests.report.figures import drawn

NAN = np.nan


def lines(figure: Figure) -> list[Line2D]:
    return [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]


def test_running_mean_by_hand() -> None:
    values = np.array([10, 20, NAN, 60, 40.0])
    assert running_mean(values, 1) == pytest.approx(values, nan_ok=True)
    assert running_mean(values, 3) == pytest.approx([15, 15, 40, 50, 50])
    assert running_mean(np.array([NAN, NAN, NAN, 6]), 3) == pytest.approx(
        [NAN, NAN, 6, 6], nan_ok=True
    )


def test_windows_are_odd_and_near_a_tenth() -> None:
    assert [window_size(k) for k in (1, 20, 21, 100, 1000, 8142)] == [1, 1, 3, 11, 101, 815]


def test_classes_are_sorted_by_images_and_those_without_test_images_left_out() -> None:
    figure = draw_head_to_tail(np.array([5, 200, 50]), {"full": np.array([30, 90, NAN])})
    (line,) = [one for one in figure.axes[0].lines if one.get_marker() == "o"]
    assert list(line.get_xdata()) == [1, 3]
    assert list(line.get_ydata()) == [90, 30]
    assert [text.get_text() for text in figure.axes[0].texts] == ["many", "medium", "few"]


def test_training_images_are_below() -> None:
    figure = draw_head_to_tail(np.array([5, 200, 50]), {"full": np.array([30, 90, 20.0])})
    below = figure.axes[1]
    assert list(below.patches[0].get_data().values) == [200, 50, 5]
    assert [label.get_text() for label in below.get_yticklabels()] == ["5", "200"]


def test_an_empty_group_has_no_shade() -> None:
    figure = draw_head_to_tail(np.array([50, 40]), {"full": np.array([30.0, 90])})
    assert [text.get_text() for text in figure.axes[0].texts] == ["medium"]


@pytest.mark.parametrize("classes", [1, 10, 100, 1000, 8142])
def test_any_number_of_classes_makes_a_line_of_few_points(classes: int) -> None:
    figure = drawn.head_to_tail(1, classes=classes)
    figure.draw_without_rendering()
    assert all(len(line.get_xdata()) <= 200 for line in figure.axes[0].lines)


def test_curves_are_means_and_ranges_over_seeds() -> None:
    curve = np.array([[4, 2, 1], [2, 2, NAN]])
    figure = draw_training_curves({"full": curve}, "loss")
    (line,) = lines(figure)
    assert list(line.get_xdata()) == [1, 2, 3]
    assert list(line.get_ydata()) == [3, 2, 1]
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    assert {(1, 2), (1, 4)} <= {(x, y) for x, y in band.tolist()}


def test_a_single_epoch_is_a_point_a_method_side_by_side() -> None:
    figure = draw_training_curves({"a": np.array([[3.0], [1.0]]), "b": np.array([[5.0]])}, "loss")
    first, second = figure.axes[0].lines
    assert (list(first.get_ydata()), list(second.get_ydata())) == ([2], [5])
    assert first.get_xdata()[0] < 1 < second.get_xdata()[0]
    assert list(figure.axes[0].get_xticks()) == [1]


def test_calibration_draws_the_bins_and_names_the_errors() -> None:
    bins = (np.array([30, 60, 90.0]), np.array([20, 70, 95.0]), np.array([10, 20, 70.0]))
    figure = draw_calibration({"full": bins}, {"full": 4.25})
    (line,) = lines(figure)
    assert list(line.get_ydata()) == [20, 70, 95]
    assert list(figure.axes[0].collections[0].get_sizes()) == [42, 72, 222]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["full (ECE 4.2)"]


def test_methods_after_the_twelfth_share_an_entry() -> None:
    texts = [text.get_text() for text in drawn.training_curves(20).legends[0].get_texts()]
    assert len(texts) == 13
    assert texts[-1] == "8 others"
