"""Figures with one line per method."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.lines import Line2D

from ltbench.report.figures import (
    draw_calibration,
    draw_group_calibration,
    draw_head_to_tail,
    draw_training_curves,
)
from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.head_to_tail import running_mean, window_size
from tests.report.figures import drawn
from tests.report.figures.drawn import xs, ys

NAN = np.nan


def markers(figure: Canvas, marker: str) -> list[Line2D]:
    return [line for line in figure.axes[0].lines if line.get_marker() == marker]


def texts(figure: Canvas) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


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
    figure = draw_head_to_tail(
        np.array([5, 200, 50]), {"full": np.array([30, 90, NAN])}, class_names=["ant", "bee", "cat"]
    )
    line = markers(figure, "o")[0]
    x, y = xs(line), ys(line)
    assert len(x) == 2
    assert y[0] < y[1]  # positions grow downwards: the first is higher
    assert list(figure.tips.values()) == [
        "class rank 1 (bee), 200 training images\nfull 90.0 %",
        "class rank 2 (cat), 50 training images\nno test images",
        "class rank 3 (ant), 5 training images\nfull 30.0 %",
    ]
    assert [text for text in texts(figure) if text in ("many", "medium", "few")] == [
        "many",
        "medium",
        "few",
    ]


def test_training_images_are_below() -> None:
    figure = draw_head_to_tail(np.array([5, 200, 50]), {"full": np.array([30, 90, 20.0])})
    assert {"5", "200", "training images"} <= set(texts(figure))


def test_an_empty_group_has_no_name() -> None:
    figure = draw_head_to_tail(np.array([50, 40]), {"full": np.array([30.0, 90])})
    assert not {"many", "few"} & set(texts(figure))


@pytest.mark.parametrize("classes", [1, 10, 100, 1000, 8142])
def test_any_number_of_classes_makes_a_line_of_few_points(classes: int) -> None:
    figure = drawn.head_to_tail(1, classes=classes)
    assert all(len(xs(line)) <= 200 for line in figure.axes[0].lines)
    assert len(figure.tips) <= 60


def test_values_of_many_classes_are_means_of_neighbours() -> None:
    figure = draw_head_to_tail(np.arange(1200, 0, -1), {"full": np.repeat([10.0, 30.0], 600)})
    first, *_, last = figure.tips.values()
    assert first == "class ranks 1 to 20, 1,200 to 1,181 training images\nfull 10.0 %"
    assert last == "class ranks 1,181 to 1,200, 20 to 1 training images\nfull 30.0 %"


def test_curves_are_means_and_ranges_over_seeds() -> None:
    curve = np.array([[4, 2, 1], [2, 2, NAN]])
    figure = draw_training_curves({"full": curve}, "loss")
    assert list(figure.tips.values()) == [
        "epoch 1\nfull 3 (2 to 4)",
        "epoch 2\nfull 2 (2 to 2)",
        "epoch 3\nfull 1",
    ]
    line = markers(figure, "o")[0]
    assert np.diff(xs(line)) == pytest.approx(np.ptp(xs(line)) / 2)
    assert np.diff(ys(line)) == pytest.approx(np.ptp(ys(line)) / 2)


def test_a_single_epoch_is_a_point_a_method_side_by_side() -> None:
    figure = draw_training_curves({"a": np.array([[3.0], [1.0]]), "b": np.array([[5.0]])}, "loss")
    first, second = markers(figure, "o")[0], markers(figure, "s")[0]
    assert xs(first)[0] < xs(second)[0]
    assert ys(first)[0] > ys(second)[0]


def test_a_line_that_ends_earlier_has_a_name_without_a_leader() -> None:
    curves = {"short": np.ones((1, 2)), "whole": np.ones((1, 5))}
    figure = draw_training_curves(curves, "loss")
    assert {"short", "whole"} <= set(texts(figure))
    leaders = [line for line in figure.axes[0].lines if line.get_linewidth() == 0.6]
    assert len(leaders) == 1


def test_calibration_has_a_panel_for_each_method() -> None:
    bins = (np.array([30, 60, 90.0]), np.array([20, 70, 95.0]), np.array([10, 20, 70.0]))
    figure = draw_calibration({"full": bins, "lora": bins}, {"full": 4.25, "lora": NAN})
    assert {"full", "ECE 4.2", "lora", "ECE unknown"} <= set(texts(figure))
    said = list(figure.tips.values())
    assert said[0] == "full: confidence 30.0 %, accuracy 20.0 %, 10.0 % of the images"
    assert len(said) == 6
    sizes = [line.get_markersize() for line in markers(figure, "o")[1:]]
    assert sizes == sorted(sizes)


def test_calibration_of_shot_groups_emphasises_the_rarest() -> None:
    bins = (np.array([30, 60.0]), np.array([20, 70.0]), np.array([30, 70.0]))
    figure = draw_group_calibration({"many": bins, "few": bins}, {"many": 2.0, "few": 9.0})
    bold = [text.get_text() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    assert bold == ["few"]


def test_methods_after_the_twelfth_share_an_entry() -> None:
    figure = drawn.training_curves(20)
    assert "8 others" in texts(figure)
    assert "8 more methods have no panel." in texts(drawn.calibration(20))
