"""Labels and leaders touch nothing, tested by the geometry of boxes and segments."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ltbench.report.figures import draw_trade_off
from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.label_placement import (
    boxes_overlap,
    place_labels,
    segments_cross,
    segments_meet_boxes,
)
from ltbench.report.figures.line_labels import spread
from ltbench.report.figures.text_size import text_width
from tests.report.figures import drawn
from tests.report.figures.drawn import xs, ys

FRAME = (0.0, 0.0, 350.0, 230.0)


def test_segments_cross_where_they_share_a_point_inside() -> None:
    diagonal = np.array([[0, 0, 10, 10.0]])
    others = np.array([[0, 10, 10, 0], [0, 1, 9, 10], [20, 0, 20, 9.0]])
    assert segments_cross(diagonal, others).tolist() == [[True, False, False]]


def test_segments_meet_boxes_also_without_an_end_inside() -> None:
    box = np.array([[4, 4, 6, 6.0]])
    segments = np.array(
        [[0, 5, 10, 5], [0, 0, 10, 10], [5, 5, 5, 5.5], [0, 7, 10, 7], [0, 0, 3, 3]]
    )
    assert segments_meet_boxes(segments, box)[:, 0].tolist() == [True, True, True, False, False]


def test_boxes_that_share_an_edge_do_not_overlap() -> None:
    one = np.array([[0, 0, 2, 2.0]])
    assert boxes_overlap(one, np.array([[1, 1, 3, 3], [2, 0, 4, 2.0]])).tolist() == [[True, False]]


@pytest.mark.parametrize("seed", range(8))
def test_no_label_and_no_leader_touches_anything(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = 14
    points = random.uniform((20, 20), (330, 210), (n, 2))
    points[: n // 2] = points[0] + random.normal(0, 12, (n // 2, 2))
    widths = random.uniform(20, 120, n)
    lines = np.column_stack([points[:, 0], points[:, 1] - 9, points[:, 0], points[:, 1] + 9])
    found = place_labels(points, list(widths), others=np.empty((0, 2)), lines=lines, inside=FRAME)
    placed = [(i, place) for i, place in enumerate(found) if place is not None]
    assert len(placed) >= n // 2
    boxes = np.array([[p.x, p.y - 6, p.x + widths[i], p.y + 6] for i, p in placed])
    markers = np.column_stack([points - 4, points + 4])
    clash = boxes_overlap(boxes, boxes)
    assert not clash[~np.eye(len(boxes), dtype=bool)].any()
    assert not boxes_overlap(boxes, markers).any()
    assert not segments_meet_boxes(lines, boxes).any()
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= FRAME[2:]).all()
    led = [(k, i, p.leader) for k, (i, p) in enumerate(placed) if p.leader is not None]
    for k, i, leader in led:
        others = np.arange(len(boxes)) != k
        assert not segments_meet_boxes(leader[None], boxes[others]).any()
        assert not segments_meet_boxes(leader[None], markers[np.arange(n) != i]).any()
        assert not segments_cross(leader[None], lines).any()
    for (_, _, one), (_, _, other) in itertools.combinations(led, 2):
        assert not segments_cross(one[None], other[None]).any()


def test_a_label_without_a_place_is_none() -> None:
    (place,) = place_labels(
        np.array([[5, 5.0]]),
        [100],
        others=np.empty((0, 2)),
        lines=np.empty((0, 4)),
        inside=(0, 0, 50, 50),
    )
    assert place is None


def _leaders(figure: Canvas) -> list[NDArray[np.float64]]:
    thin = [line for line in figure.axes[0].lines if line.get_linewidth() in (0.6, 0.7)]
    return [_ends(line) for line in thin if line.get_color() == "#57606a"]


def _ends(line: Line2D) -> NDArray[np.float64]:
    x, y = xs(line), ys(line)
    return np.array([x[0], y[0], x[-1], y[-1]])


@pytest.mark.parametrize("draw", [drawn.training_curves, drawn.head_to_tail])
def test_leaders_at_line_ends_do_not_cross(draw: Callable[..., Canvas]) -> None:
    leaders = np.array([one for one in _leaders(draw(20)) if one[0] != one[2]])
    assert len(leaders) == 12
    assert not segments_cross(leaders, leaders).any()


def test_every_method_of_a_crowd_has_a_name_beside_or_below() -> None:
    names = [f"method_{i}" for i in range(12)]
    accuracy, cost = np.linspace(70, 70.5, 12), np.full(12, 1000.0)
    figure = draw_trade_off(names, accuracy, accuracy - 1, accuracy + 1, cost, "cost")
    assert set(names) <= {text.get_text() for text in figure.axes[0].texts}


def test_labels_are_spread_in_order_and_in_range() -> None:
    wanted = np.array([10, 10, 11, 50, 99.0])
    found = spread(wanted, 10, 0, 100)
    assert (np.diff(found) >= 10 - 1e-9).all()
    assert found[0] >= 0
    assert found[-1] <= 100
    assert found[3] == 50
    assert spread(np.empty(0), 10, 0, 100).size == 0


def test_labels_have_the_width_of_their_text() -> None:
    (place,) = place_labels(
        np.array([[50, 50.0]]),
        [text_width("lora")],
        others=np.empty((0, 2)),
        lines=np.empty((0, 4)),
        inside=FRAME,
    )
    assert place is not None
    assert place.leader is None
    assert place.x > 55
