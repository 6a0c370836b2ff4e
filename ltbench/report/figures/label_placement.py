"""Placement of labels beside points: no label or leader touches anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LABEL_HEIGHT = 13.0  # points
_POINT_RADIUS = 5.0  # points
_ADJACENT_DISTANCE = 2.0  # points between a marker and a label that needs no leader
_LEADER_DISTANCES = (9.0, 16.0, 25.0, 36.0, 50.0, 66.0, 84.0)  # points
_DIRECTIONS = 16
_MAX_ROUNDS = 6

Boxes = NDArray[np.float64]
"""Rectangles, (B, 4): left, top, right, bottom, in points."""
Segments = NDArray[np.float64]
"""Line segments, (S, 4): x and y of both ends, in points."""


@dataclass(frozen=True)
class PlacedLabel:
    """Place of a label.

    Args:
        x: Left end of the text, in points.
        y: Middle of the text, in points.
        leader: Ends of the leader line, (4,); None for a label beside its point.
    """

    x: float
    y: float
    leader: NDArray[np.float64] | None


def place_labels(
    points: NDArray[np.float64],
    widths: Sequence[float],
    *,
    others: NDArray[np.float64],
    lines: Segments,
    inside: tuple[float, float, float, float],
) -> list[PlacedLabel | None]:
    """Returns a place for each label, the nearest one where it touches nothing.

    Labels are placed one after the other. Labels without a place come first in the next round; the
    round with the most labels is returned, and of equal ones the first.

    Args:
        points: (n, 2) points, the most important first.
        widths: (n,) widths of the labels, in points.
        others: (m, 2) points without a label.
        lines: Segments that labels and leaders do not touch.
        inside: Rectangle that labels stay in.

    Returns:
        Places; None for a label that has no place.
    """
    every = np.concatenate([points, others]) if len(others) else points
    radius = _POINT_RADIUS
    markers = np.column_stack([every - radius, every + radius])
    order = list(range(len(points)))
    best: dict[int, PlacedLabel] = {}
    for _ in range(_MAX_ROUNDS):
        found, missing = _place_in_order(order, points, widths, markers, lines, inside)
        if len(found) > len(best):
            best = found
        if not missing:
            break
        order = [*missing, *(i for i in order if i not in missing)]
    return [best.get(i) for i in range(len(points))]


def _place_in_order(
    order: Sequence[int],
    points: NDArray[np.float64],
    widths: Sequence[float],
    markers: Boxes,
    lines: Segments,
    inside: tuple[float, float, float, float],
) -> tuple[dict[int, PlacedLabel], list[int]]:
    """Returns the places found, and the labels without one."""
    taken, leaders = np.empty((0, 4)), np.empty((0, 4))
    found: dict[int, PlacedLabel] = {}
    missing = []
    for i in order:
        boxes, segments, is_adjacent = _options(points[i], widths[i])
        own = np.arange(len(markers)) != i
        crossed = np.concatenate([lines, leaders])
        free = (boxes[:, 0] >= inside[0]) & (boxes[:, 1] >= inside[1])
        free &= (boxes[:, 2] <= inside[2]) & (boxes[:, 3] <= inside[3])
        free &= ~boxes_overlap(boxes, np.concatenate([markers, taken])).any(axis=1)
        free &= ~segments_meet_boxes(crossed, boxes).any(axis=0)
        free &= is_adjacent | ~_is_steep(segments)
        led = np.flatnonzero(free & ~is_adjacent)
        blocked = segments_meet_boxes(segments[led], np.concatenate([markers[own], taken])).any(1)
        blocked |= segments_cross(segments[led], crossed).any(axis=1)
        free[led[blocked]] = False
        options = np.flatnonzero(free)
        if not options.size:
            missing.append(i)
            continue
        at = int(options[0])
        taken = np.vstack([taken, boxes[at]])
        leader = None
        if not is_adjacent[at]:
            leader = segments[at]
            leaders = np.vstack([leaders, leader])
        left, top, _, bottom = boxes[at]
        found[i] = PlacedLabel(float(left) + 2, float(top + bottom) / 2, leader)
    return found, missing


def _options(point: NDArray[np.float64], width: float) -> tuple[Boxes, Segments, NDArray[np.bool_]]:
    """Returns the boxes of a label from near to far, their leaders, and whether they need none."""
    half = np.array([width / 2 + 2, _LABEL_HEIGHT / 2])
    near = np.array([(1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1)])
    centres = [point + near * (_POINT_RADIUS + _ADJACENT_DISTANCE + half)]
    angles = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    around = np.column_stack([np.cos(angles), np.sin(angles)])
    centres += [point + around * (_POINT_RADIUS + d + half) for d in _LEADER_DISTANCES]
    middle = np.concatenate(centres)
    boxes = np.column_stack([middle - half, middle + half])
    nearest = np.clip(point, boxes[:, :2], boxes[:, 2:])
    away = nearest - point
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    start = point + away * (_POINT_RADIUS + 0.5)
    return boxes, np.column_stack([start, nearest]), np.arange(len(boxes)) < len(near)


def _is_steep(segments: Segments) -> NDArray[np.bool_]:
    """Returns whether leaders are so steep that they look like the interval of their point."""
    across, down = np.abs(segments[:, 2:] - segments[:, :2]).T
    return np.asarray(across < down / 4)


def boxes_overlap(one: Boxes, other: Boxes) -> NDArray[np.bool_]:
    """Returns whether rectangles overlap, (B1, B2)."""
    a, b = one[:, None], other[None]
    return np.asarray(
        (a[..., 0] < b[..., 2])
        & (b[..., 0] < a[..., 2])
        & (a[..., 1] < b[..., 3])
        & (b[..., 1] < a[..., 3])
    )


def segments_meet_boxes(segments: Segments, boxes: Boxes) -> NDArray[np.bool_]:
    """Returns whether segments have a point inside rectangles, (S, B) (Liang and Barsky, 1984)."""
    start = segments[:, None, :2]
    move = segments[:, None, 2:] - start
    move = np.where(np.abs(move) < 1e-12, 1e-12, move)
    one, other = (boxes[None, :, :2] - start) / move, (boxes[None, :, 2:] - start) / move
    first = np.minimum(one, other).max(axis=2)
    last = np.maximum(one, other).min(axis=2)
    return np.asarray(np.maximum(first, 0) < np.minimum(last, 1))


def segments_cross(one: Segments, other: Segments) -> NDArray[np.bool_]:
    """Returns whether segments cross, (S1, S2); segments that touch at an end do not."""
    a, b = one[:, None, :2], one[:, None, 2:]
    c, d = other[None, :, :2], other[None, :, 2:]
    return np.asarray((_turn(a, b, c) * _turn(a, b, d) < 0) & (_turn(c, d, a) * _turn(c, d, b) < 0))


def _turn(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> NDArray[np.float64]:
    """Returns twice the signed area of triangles: the sign is the direction of the turn."""
    a, b, c = np.asarray(a), np.asarray(b), np.asarray(c)
    u, v = b - a, c - a
    return np.asarray(u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0])
