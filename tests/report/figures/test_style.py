from __future__ import annotations

from ltbench.report.figures.names import labels
from ltbench.report.figures.style import look, looks_of_lines


def test_methods_are_told_apart_without_colours() -> None:
    assert len({(look(i).marker, look(i).dash) for i in range(36)}) == 36


def test_lines_after_the_twelfth_are_grey() -> None:
    looks = looks_of_lines(20)
    assert looks[:12] == [look(i) for i in range(12)]
    assert {(one.colour, one.marker) for one in looks[12:]} == {("0.72", "")}


def test_names_are_broken_then_cut_in_their_middle() -> None:
    assert labels(["lora", "classifier_only"], width=11, lines=2) == ["lora", "classifier_\nonly"]
    assert labels(["arbitrary_lightweight"], width=11) == ["arbit…eight"]


def test_what_tells_names_apart_is_not_cut() -> None:
    alike = ["lora (rank=8), loss=focal", "lora (rank=16), loss=focal"]
    assert labels(alike, width=15) == ["lora (rank=8…al", "lora (rank=1…al"]


def test_names_alike_at_both_ends_are_numbered() -> None:
    alike = ["a" * 20 + "x" + "a" * 20, "a" * 20 + "y" + "a" * 20]
    assert labels(alike, width=9) == ["aaaaa (1)", "aaaaa (2)"]
