"""Properties of all figures."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from ltbench.report.figures import draw_shot_groups, figure_files, to_svg
from tests.report.figures.drawn import EVERY, METRICS, training_curves
from tests.tiers import all_but

SVG = "{http://www.w3.org/2000/svg}"
Draw = Callable[[int], Figure]

every = pytest.mark.parametrize("draw", EVERY, ids=lambda draw: draw.__name__)


@pytest.mark.parametrize("count", all_but([20], [1, 2, 20]))
@every
def test_nothing_is_cut_off(draw: Draw, count: int) -> None:
    figure = draw(count)
    figure.draw_without_rendering()
    drawn, whole = figure.get_tightbbox().extents, figure.bbox_inches.extents
    assert (drawn[:2] > whole[:2] - 1e-9).all()
    assert (drawn[2:] < whole[2:] + 1e-9).all()


@every
def test_it_is_an_svg_that_scales_and_has_letters_for_phones(draw: Draw) -> None:
    svg = to_svg(draw(2), "one")
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("width") is None
    assert float(root.get("viewBox", "").split()[2]) == 396
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text
    assert title.get("id") == root.get("aria-labelledby")
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: [a-z ]*([\d.]+)px", svg)]
    assert sizes
    assert min(sizes) >= 12  # points: 8 where the figure is 360 pixels wide


@every
def test_ids_are_unique_on_a_page_and_references_resolve(draw: Draw) -> None:
    first, second = to_svg(draw(2), "first"), to_svg(draw(2), "second")
    ids = re.findall(r'\sid="([^"]+)"', first + second)
    assert len(set(ids)) == len(ids)
    used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', first + second)
    assert {a or b for a, b in used} <= set(ids)
    assert "<style" not in first
    assert "<metadata" not in first


@every
def test_two_drawings_have_the_same_bytes(draw: Draw) -> None:
    assert figure_files(draw(2), "figure") == figure_files(draw(2), "figure")


def test_files_have_a_size_and_fonts_inside() -> None:
    files = figure_files(training_curves(1), "curves")
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


def test_names_with_dollar_signs_are_no_formulas() -> None:
    names = [r"$\oWnEd$", "$x^2$", "a_$_b"]
    means = np.full((3, 5), 50.0)
    svg = to_svg(draw_shot_groups(names, METRICS, means, means - 2, means + 2), "one")
    assert all(name in svg for name in names)
