from __future__ import annotations

from ltbench.report.figures.label_text import shorten_names
from ltbench.report.figures.style import line_styles, method_style


def test_methods_differ_without_colours() -> None:
    assert len({(method_style(i).marker, method_style(i).dash) for i in range(36)}) == 36


def test_lines_after_the_twelfth_are_grey() -> None:
    looks = line_styles(20)
    assert looks[:12] == [method_style(i) for i in range(12)]
    assert {(one.colour, one.marker) for one in looks[12:]} == {("0.72", "")}


def test_names_are_broken_then_cut_in_their_middle() -> None:
    assert shorten_names(["lora", "classifier_only"], width=11, lines=2) == [
        "lora",
        "classifier_\nonly",
    ]
    assert shorten_names(["arbitrary_lightweight"], width=11) == ["arbit…eight"]


def test_what_tells_names_apart_is_not_cut() -> None:
    alike = ["lora (rank=8), loss=focal", "lora (rank=16), loss=focal"]
    assert shorten_names(alike, width=15) == ["lora (rank=8…al", "lora (rank=1…al"]


def test_names_alike_at_both_ends_are_numbered() -> None:
    alike = ["a" * 20 + "x" + "a" * 20, "a" * 20 + "y" + "a" * 20]
    assert shorten_names(alike, width=9) == ["aaaaa (1)", "aaaaa (2)"]
