"""Line breaks of texts on a terminal."""

from __future__ import annotations

import itertools

import pytest

from ltbench.io.line_breaks import break_offsets, first_line, widest_part, widest_word


def lines(text: str, width: int) -> list[str]:
    places = [0, *break_offsets(text, width), len(text)]
    return [text[a:b].rstrip() for a, b in itertools.pairwise(places)]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("nothing to break", 20, ["nothing to break"]),
        ("one two three", 7, ["one two", "three"]),
        ("of 98.6 ± 0.3 points", 12, ["of", "98.6 ± 0.3", "points"]),
        (
            "by 3.1 points [-1.2, 5.0], p < 0.001",
            14,
            ["by 3.1 points", "[-1.2, 5.0],", "p < 0.001"],
        ),
        ("98.6 [97.3, 99.4]", 12, ["98.6", "[97.3, 99.4]"]),
        ("-1.2 to 0.2 and", 8, ["-1.2 to 0.2", "and"]),
        ("p = 0.04 or p < 0.001", 10, ["p = 0.04", "or", "p < 0.001"]),
        ("1,280 to 5 per class", 12, ["1,280 to 5", "per class"]),
        ("32 x 32 pixels", 8, ["32 x 32", "pixels"]),
        ("up to 50 % of it", 6, ["up to", "50 %", "of it"]),
        ("run `ltbench data list` now", 18, ["run", "`ltbench data list`", "now"]),
        ("classifier_only", 12, ["classifier_", "only"]),
        ("lift_plus (train.lr=0.005)", 12, ["lift_plus", "(train.", "lr=0.005)"]),
        ("1234567890", 4, ["1234567890"]),
        ("日本語の名前", 6, ["日本語", "の名前"]),
        ("  indented", 20, ["  indented"]),
        ("", 5, [""]),
    ],
)
def test_lines(text: str, width: int, expected: list[str]) -> None:
    assert lines(text, width) == expected


def test_widths() -> None:
    assert (widest_word("98.6 ± 0.3 of lift_plus"), widest_part("98.6 ± 0.3 of lift_plus")) == (
        10,
        10,
    )
    assert (widest_word("a classifier_only"), widest_part("a classifier_only")) == (15, 11)
    assert widest_word("") == widest_part("") == 0


def test_the_first_line_ends_behind_a_word() -> None:
    assert first_line("short", 10) == "short"
    assert first_line("images of 1,280 to 5 classes", 18) == "images of ..."
    assert first_line("cats, dogs and mice", 12) == "cats ..."
