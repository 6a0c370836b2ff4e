from __future__ import annotations

import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.style import CSS_VARIABLES, SERIES, method_style
from ltbench.report.figures.text_size import break_text, text_width


def test_methods_differ_without_colours() -> None:
    assert len({(method_style(i).marker, method_style(i).dash) for i in range(36)}) == 36


def test_colours_of_methods_are_the_series_of_a_page() -> None:
    assert {method_style(i).colour for i in range(20)} == set(SERIES)
    assert [CSS_VARIABLES[colour] for colour in SERIES] == [f"--series-{i}" for i in range(1, 8)]


def test_lines_after_the_twelfth_are_grey() -> None:
    names = [f"m{i}" for i in range(20)]
    styles = MethodLooks.of(names).line_styles(names)
    assert styles[:12] == [method_style(i) for i in range(12)]
    assert {(one.colour, one.marker) for one in styles[12:]} == {("#dde1e6", "")}


def test_a_method_looks_the_same_in_all_figures_of_a_page() -> None:
    page = MethodLooks.of(["a", "b", "c (train.epochs=3, train.lr=0.0125)"])
    assert page.including(["c (train.epochs=3, train.lr=0.0125)", "a"]) is page
    more = page.including(["d (loss=a_long_name_of_a_loss)", "b"])
    assert [more.style(name) for name in page.names] == [page.style(name) for name in page.names]
    assert [more.label(name) for name in more.names] == ["a", "b", "c ¹", "d ²"]
    assert NO_LOOKS.including(["b"]).style("b") == method_style(0)


@pytest.mark.parametrize("text", ["lift_plus (epochs=3)", "WWWW", "illi", "98.6 % ¹²"])
@pytest.mark.parametrize("bold", [False, True])
def test_widths_of_text_are_those_of_the_font(text: str, bold: bool) -> None:
    weight = "bold" if bold else "normal"
    font = FontProperties(family="DejaVu Sans", weight=weight)
    drawn = TextPath((0, 0), text, size=11, prop=font)
    width = text_width(text, 11, bold=bold)
    assert drawn.get_extents().width <= width
    assert width == pytest.approx(drawn.get_extents().width, abs=3)


def test_letters_that_the_font_lacks_have_a_width() -> None:
    assert text_width("犬", 10) == 10


def test_text_is_broken_at_spaces() -> None:
    text = "one two three"
    assert break_text(text, text_width("one two", 10), 10) == ["one two", "three"]
    assert break_text(text, 1, 10) == ["one", "two", "three"]
