from __future__ import annotations

from ltbench.report.page.figure_set import FigureSet
from tests.report.figures.drawn import narrow_shot_groups, shot_groups


def test_a_narrow_form_is_on_the_page_and_in_no_file() -> None:
    figures = FigureSet()
    made = figures.add("groups", shot_groups(2), "Caption.", "Words.", narrow=narrow_shot_groups(2))
    assert made.svg.count("<svg ") == 2
    assert '<svg class="wide" ' in made.svg
    assert '<svg class="narrow" ' in made.svg
    assert list(figures.files()) == ["groups.svg", "groups.pdf"]


def test_other_figures_have_one_form() -> None:
    made = FigureSet().add("groups", shot_groups(2), "Caption.", "Words.")
    assert made.svg.startswith("<svg xmlns=")
