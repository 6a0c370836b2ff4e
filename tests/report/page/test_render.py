from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

from ltbench.report.figures.output import to_svg
from ltbench.report.page.content import Answer, Page, Picture, Section
from ltbench.report.page.render import ASSETS, render_page
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
    assert counts["script"] == 3  # two programs, and the data of the long table
    assert counts["img"] == 3
    assert "alert(1)</script>" not in html
    places = 9  # key, answer (2), facts (2), paragraph, finding, cell, note
    places += 1 + 200  # caption of the figure, rows of the long table
    places += 3 + 1 + 1  # images, properties, listing
    assert sum(ATTACK in text for text in parsed.texts) == places
    assert parsed.values("aria-label").count(ATTACK) == 1
    assert parsed.values("alt") == 3 * [f"A {ATTACK}"]
    assert not [name for _, found in parsed.elements for name in found if name.startswith("on")]


def test_nothing_is_loaded_from_elsewhere(html: str, parsed: Parsed) -> None:
    assert all(source.startswith("data:image/png;base64,") for source in parsed.values("src"))
    links = parsed.values("href")
    assert {link for link in links if not link.startswith("#")} == {
        "data:,",
        *(
            f"figures/{name}.{suffix}"
            for name in ("beside", "curve", "bars", "second")
            for suffix in ("svg", "pdf")
        ),
    }
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_ids_are_unique_and_every_reference_has_its_target(html: str, parsed: Parsed) -> None:
    ids = parsed.values("id")
    assert max(Counter(ids).values()) == 1
    references = [link[1:] for link in parsed.values("href") if link.startswith("#")]
    references += re.findall(r"url\(#([^)]+)\)", html)
    references += parsed.values("aria-labelledby") + parsed.values("popovertarget")
    assert set(references) <= set(ids)
    assert {"curve-tick", "bars-tick", "curve-clip"} <= set(references)


def test_figures_for_papers_fit_into_a_page() -> None:
    pictures = []
    for name in ("one", "two"):
        figure = Figure(label=ATTACK)
        figure.subplots().plot([1, 2], label=ATTACK)
        figure.legend()
        pictures.append(Picture(name, "Caption.", to_svg(figure, name), "Description."))
    page = Page("Title", Answer("A"), [], [Section("one", "One", blocks=pictures)], "ltbench")
    parsed = Parsed(render_page(page))
    assert max(Counter(parsed.values("id")).values()) == 1
    assert Counter(tag for tag, _ in parsed.elements)["script"] == 2


def test_the_policy_lets_our_scripts_run_and_nothing_else(html: str, parsed: Parsed) -> None:
    [policy] = [
        attributes["content"]
        for _, attributes in parsed.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == " ".join(f"'sha256-{digest}'" for digest in digests)
    assert len(digests) == 2
    assert directives["img-src"] == "data:"
    assert "connect-src" not in directives


def test_a_page_without_sections_is_a_page() -> None:
    parsed = Parsed(render_page(Page("Title", Answer("A"), [], [], "ltbench 0.0")))
    assert any("Made with ltbench 0.0." in text for text in parsed.texts)


def test_a_number_stays_with_its_percent_sign_and_text_stays_text() -> None:
    answer = Answer("a <b> has 12.6 % of 50 images", "The interval is 95 % wide & more.")
    html = render_page(Page("Title", answer, [], [], "ltbench 0.0"))
    assert "a &lt;b&gt; has 12.6\N{NO-BREAK SPACE}% of 50 images" in html
    assert "95\N{NO-BREAK SPACE}% wide &amp; more." in html


def test_sections_are_headings_of_their_level(html: str) -> None:
    assert '<h2 id="heading-frequency">From head to tail</h2>' in html
    assert '<h3 id="heading-per-class">Class by class</h3>' in html
    assert '<a href="#frequency">From head to tail</a>' in html


def test_figures_that_follow_each_other_are_side_by_side(html: str) -> None:
    (group,) = re.findall(
        r'<div class="pictures">(.*?)</div>\n<figure class="table', html, re.DOTALL
    )
    assert re.findall(r'id="figure-(\w+)"', group) == ["bars", "second"]


def test_notes_are_folded_with_their_number_and_no_notes_are_nothing(html: str) -> None:
    notes = re.findall(r'<details class="notes">\n<summary>(.*?)</summary>', html)
    assert notes == ['Notes <small class="count">2</small>']


def test_parts_of_a_section_are_folded_on_demand(html: str) -> None:
    (said,) = re.findall(r'<details class="parts">\n<summary>(.*?)</summary>', html)
    assert said == "More on From head to tail: class by class"


def test_values_of_marks_are_in_the_figure_without_the_script(html: str) -> None:
    assert html.count('data-tip="lift: 81.0"><title>lift: 81.0</title>') == 4


def test_a_table_is_whole_without_the_script(html: str) -> None:
    assert '<th scope="row" class="name">lift</th><td>la</td><td class="number">5</td>' in html
    assert '<td class="number">1,234,567</td>' in html
    assert '<td>\N{EN DASH}</td><td class="number">5</td>' in html  # the loss of zero_shot is ""
    assert html.count("<tr") == (5 + 1) + (1 + 1) + (300 + 1) + (7 + 1) + (200 + 1)
    thead = re.findall(r"<thead>.*?</thead>", html, re.DOTALL)
    assert not any("<button" in head for head in thead)


def luminance(colour: str) -> float:
    """Relative luminance of a #rrggbb colour, as WCAG 2.2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


STYLE = (ASSETS / "style.css").read_text(encoding="utf-8")
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", STYLE
    )
}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        *(("ink", back, 4.5) for back in ("surface", "tint", "raised", "best")),
        *(("muted", back, 4.5) for back in ("surface", "tint", "best")),
        *(("accent", back, 4.5) for back in ("surface", "tint", "best")),
        ("edge", "surface", 3.0),  # not text: edges of controls, arrows
        ("edge", "tint", 3.0),
    ],
)
def test_colours_have_the_contrast_that_wcag_aa_asks_for(
    front: str, back: str, least: float, theme: int
) -> None:
    a, b = (luminance(COLOURS[name][theme]) for name in (front, back))
    assert (max(a, b) + 0.05) / (min(a, b) + 0.05) >= least


def test_figures_have_their_colours_in_both_themes() -> None:
    names = {"ink", "muted", "rule", "surface", *(f"series-{k}" for k in range(1, 9))}
    assert names <= set(COLOURS)
    dark = COLOURS["surface"][1]
    for name in (f"series-{k}" for k in range(1, 9)):
        contrast = (luminance(COLOURS[name][1]) + 0.05) / (luminance(dark) + 0.05)
        assert contrast >= 4.5, name
