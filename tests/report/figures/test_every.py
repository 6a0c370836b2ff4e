"""Properties of all figures."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from ltbench.report.figures import draw_shot_groups, figure_files, to_svg
from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.output import svg_file
from ltbench.report.figures.style import CSS_VARIABLES
from tests.report.figures.drawn import EVERY, METRICS, training_curves
from tests.tiers import all_but

SVG = "{http://www.w3.org/2000/svg}"
Draw = Callable[[int], Canvas]


@functools.cache
def made(draw: Draw) -> tuple[Canvas, str]:
    """Returns a figure of two methods, and its SVG for a page."""
    figure = draw(2)
    return figure, to_svg(figure, "one")


every = pytest.mark.parametrize("draw", EVERY, ids=lambda draw: draw.__name__)


@pytest.mark.parametrize("count", all_but([20], [1, 2, 60]))
@every
def test_nothing_is_cut_off(draw: Draw, count: int) -> None:
    figure = draw(count)
    figure.draw_without_rendering()
    drawn, whole = map(np.array, (figure.get_tightbbox().extents, figure.bbox_inches.extents))
    assert (drawn[:2] > whole[:2] - 1e-9).all()
    assert (drawn[2:] < whole[2:] + 1e-9).all()


@every
def test_it_is_an_svg_that_scales_and_has_letters_for_phones(draw: Draw) -> None:
    _, svg = made(draw)
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("width") is None
    width = float(root.get("viewBox", "").split()[2])
    assert width in (285, 396)
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text
    assert title.get("id") == root.get("aria-labelledby")
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: [a-z ]*([\d.]+)px", svg)]
    assert sizes
    assert min(sizes) * 380 / width > 9  # pixels on a phone that is 390 pixels wide


@every
def test_ids_are_unique_on_a_page_and_references_resolve(draw: Draw) -> None:
    figure, first = made(draw)
    second = to_svg(figure, "second")
    ids = re.findall(r'\sid="([^"]+)"', first + second)
    assert len(set(ids)) == len(ids)
    used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', first + second)
    assert {a or b for a, b in used} <= set(ids)
    assert "<style" not in first
    assert "<metadata" not in first


@every
def test_the_page_recolours_everything_and_files_need_no_page(draw: Draw) -> None:
    figure, svg = made(draw)
    file = svg_file(figure, "one").decode()
    left = re.sub(r"var\((--[a-z0-9-]+), (#[0-9a-f]{6})\)", "", svg)
    assert not re.search(r"#[0-9a-fA-F]{3,6}\b(?!-)", re.sub(r'(href="|url\()#[^")]+', "", left))
    assert {found[1] for found in re.finditer(r"var\((--[a-z0-9-]+)", svg)} <= {
        *CSS_VARIABLES.values()
    }
    assert "var(" not in file
    assert "inherit" not in file


@every
def test_marks_have_their_values_as_title_and_for_scripts(draw: Draw) -> None:
    figure, svg = made(draw)
    groups = ElementTree.fromstring(svg).iter(f"{SVG}g")
    marks = [group for group in groups if group.get("data-tip") is not None]
    assert sorted(mark.get("data-tip", "") for mark in marks) == sorted(figure.tips.values())
    for mark in marks:
        assert mark.findtext(f"{SVG}title") == mark.get("data-tip")
        assert "mark" in mark.get("class", "").split()


@every
def test_two_drawings_have_the_same_bytes(draw: Draw) -> None:
    assert to_svg(draw(2), "one") == made(draw)[1]


@pytest.mark.full
@every
def test_words_are_not_cut(draw: Draw) -> None:
    words = re.findall(r"(\w+)…", to_svg(draw(20), "one"))
    assert set(words) <= {"arbitrary_lightweight", "a", "class", "with", "long", "black"}


def test_files_have_a_size_and_fonts_inside() -> None:
    files = figure_files(training_curves(1), "curves")
    assert figure_files(training_curves(1), "curves") == files
    assert list(files) == ["curves.svg", "curves.pdf"]
    root = ElementTree.fromstring(files["curves.svg"])
    assert root.get("width") == "396pt"
    pdf = files["curves.pdf"]
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf  # TrueType, embedded
    assert b"CreationDate" not in pdf


def test_drawing_leaves_the_style_of_others_alone() -> None:
    with matplotlib.rc_context({"font.size": 5, "svg.hashsalt": "mine"}):
        before = dict(matplotlib.rcParams)
        mine = figure_files(training_curves(2), "curves")
        assert dict(matplotlib.rcParams) == before
    assert figure_files(training_curves(2), "curves") == mine


def test_pyplot_is_not_imported() -> None:
    code = "import sys, ltbench.report.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_names_are_neither_formulas_nor_markup() -> None:
    names = [r"$\oWnEd$", "$x^2$", "a_$_b", "<b>&amp;\x1b[2J"]
    means = np.full((4, 5), 50.0)
    svg = to_svg(draw_shot_groups(names, METRICS, means, means - 2, means + 2), "one")
    assert all(name in svg for name in names[:3])
    texts = {text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")}
    assert "<b>&amp;?[2J" in texts
