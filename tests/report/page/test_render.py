from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

from ltbench.report.figures.output import to_svg
from ltbench.report.page.content import CellValue, Column, Page, Picture, Section
from ltbench.report.page.render import ASSETS, format_cell, render_page
from tests.report.page.pages import ATTACK, example

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Parsed(HTMLParser):
    """Parser of the elements of a page; fails where tags do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


@pytest.fixture(scope="module")
def html() -> str:
    return render_page(example())


@pytest.fixture(scope="module")
def parsed(html: str) -> Parsed:
    return Parsed(html)


def test_text_of_runs_stays_text(html: str, parsed: Parsed) -> None:
    counts = Counter(tag for tag, _ in parsed.elements)
    assert counts["script"] == 1
    assert counts["img"] == 0
    assert "alert(1)</script>" not in html
    assert sum(ATTACK in text for text in parsed.texts) == 6  # each place but two attributes
    assert parsed.values("aria-label").count(ATTACK) == 1
    assert not [name for _, found in parsed.elements for name in found if name.startswith("on")]


def test_nothing_is_loaded_from_elsewhere(html: str, parsed: Parsed) -> None:
    assert parsed.values("src") == []
    links = parsed.values("href")
    assert {link for link in links if not link.startswith("#")} == {
        "data:,",
        *(f"figures/{name}.{suffix}" for name in ("curve", "bars") for suffix in ("svg", "pdf")),
    }
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_ids_are_unique_and_every_reference_has_its_target(html: str, parsed: Parsed) -> None:
    ids = parsed.values("id")
    assert max(Counter(ids).values()) == 1
    references = [link[1:] for link in parsed.values("href") if link.startswith("#")]
    references += re.findall(r"url\(#([^)]+)\)", html)
    references += parsed.values("aria-labelledby")
    assert set(references) <= set(ids)
    assert {"curve-tick", "bars-tick", "curve-clip"} <= set(references)


def test_figures_for_papers_fit_into_a_page() -> None:
    pictures = []
    for name in ("one", "two"):
        figure = Figure(label=ATTACK)
        figure.subplots().plot([1, 2], label=ATTACK)
        figure.legend()
        pictures.append(Picture(name, "Caption.", to_svg(figure, name), "Description."))
    page = Page("Title", "Lead", [], [Section("one", "One", blocks=pictures)], "ltbench")
    parsed = Parsed(render_page(page))
    assert max(Counter(parsed.values("id")).values()) == 1
    assert Counter(tag for tag, _ in parsed.elements)["script"] == 1


def test_the_policy_lets_our_script_run_and_nothing_else(html: str, parsed: Parsed) -> None:
    [policy] = [
        attributes["content"]
        for _, attributes in parsed.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    [script] = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == f"'sha256-{digest}'"
    assert directives["img-src"] == "data:"
    assert "connect-src" not in directives


def test_a_page_without_sections_is_a_page() -> None:
    parsed = Parsed(render_page(Page("Title", "Lead", [], [], "ltbench 0.0")))
    assert "Made with ltbench 0.0." in parsed.texts


def test_sections_are_headings_of_their_level(html: str) -> None:
    assert '<h2 id="heading-frequency">From head to tail</h2>' in html
    assert '<h3 id="heading-per-class">Class by class</h3>' in html
    assert '<a href="#per-class">Class by class</a>' in html


def test_a_table_is_whole_without_the_script(html: str) -> None:
    assert '<th scope="row">lift</th><td>la</td><td class="number">5</td>' in html
    assert '<td class="number">1,234,567</td>' in html
    assert '<td>\N{EN DASH}</td><td class="number">5</td>' in html  # the loss of zero_shot is ""
    assert html.count("<tr>") == (5 + 1) + (1 + 1) + (300 + 1)
    assert "<button" not in html


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 1, ""),
        (float("nan"), 1, ""),
        ("", None, ""),
        ("< 0.001", 3, "< 0.001"),
        (0.25, 1, "0.2"),
        (-0.01, 1, "0.0"),
        (-1234.5, 2, "\N{MINUS SIGN}1,234.50"),
        (7, 0, "7"),
        (7, None, "7"),
    ],
)
def test_values_are_shown_with_the_decimals_of_their_column(
    value: CellValue, decimals: int | None, text: str
) -> None:
    assert format_cell(value, Column("title", decimals=decimals)) == text


def luminance(colour: str) -> float:
    """Relative luminance of a #rrggbb colour, as WCAG 2.2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("ink", "paper", 4.5),
        ("ink", "tint", 4.5),
        ("soft", "paper", 4.5),
        ("accent", "paper", 4.5),
        ("edge", "paper", 3.0),  # not text: edges of controls, arrows
        ("edge", "tint", 3.0),
    ],
)
def test_colours_have_the_contrast_that_wcag_aa_asks_for(
    front: str, back: str, least: float
) -> None:
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style))
    light, dark = luminance(colours[back]), luminance(colours[front])
    assert (light + 0.05) / (dark + 0.05) >= least
