"""Page in a browser: its scripts, its layout, and what axe-core finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Route, sync_playwright

from ltbench.report.page.render import render_page
from tests.chromium import CHROMIUM, needs_chromium
from tests.report.page.pages import example

NO_VALUE = "\N{EN DASH}"
pytestmark = [
    pytest.mark.full,
    needs_chromium,
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(render_page(example()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Opens the page, and checks after each test that it logged no error and requested nothing."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    wrong: list[str] = []

    def only_the_page(route: Route) -> None:
        if route.request.url.split("#")[0] == address:
            route.continue_()
        else:
            wrong.append(f"request of {route.request.url}")
            route.abort()

    page.route("**/*", only_the_page)
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.set_default_timeout(60_000)
    page.goto(address)
    page.evaluate("document.querySelector('.parts').open = true")
    yield page
    page.close()
    assert wrong == []


def column(page: Page, table: str, position: int) -> list[str]:
    """Texts of the rows that are shown, at one position."""
    cells: list[str] = page.locator(f"#table-{table} tbody tr:not([hidden])").evaluate_all(
        f"rows => rows.map(row => row.cells[{position}].textContent)"
    )
    return cells


def title(page: Page, table: str, name: str) -> Locator:
    return page.locator(f"#table-{table} thead").get_by_role("button", name=name, exact=True)


def test_a_click_sorts_numbers_as_numbers_and_a_second_reverses(page: Page) -> None:
    title(page, "methods", "learned parameters").click()
    assert column(page, "methods", 4) == ["0", "9", "650", "1,000", "1,234,567"]
    title(page, "methods", "learned parameters").click()
    assert column(page, "methods", 4) == ["1,234,567", "1,000", "650", "9", "0"]
    title(page, "methods", "gain").click()
    assert column(page, "methods", 5) == [
        "\N{MINUS SIGN}10.2",
        "\N{MINUS SIGN}2.0",
        "9.5",
        "10.0",
        NO_VALUE,
    ]


def test_rows_without_a_value_come_last_and_equal_ones_keep_their_order(page: Page) -> None:
    title(page, "methods", "accuracy").click()
    assert column(page, "methods", 0) == ["lift_plus", "full", "lift", "zero_shot", "linear"]
    title(page, "methods", "accuracy").click()
    assert column(page, "methods", 0) == ["lift", "zero_shot", "full", "lift_plus", "linear"]
    title(page, "methods", "loss").click()
    assert column(page, "methods", 1) == ["ce", "ce", "la", "la", NO_VALUE]


def test_the_keyboard_sorts(page: Page) -> None:
    header = page.locator("#table-methods thead th", has_text="seeds")
    assert header.get_attribute("aria-sort") == "none"
    title(page, "methods", "seeds").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert column(page, "methods", 0)[0] == "linear"
    page.keyboard.press("Space")
    assert header.get_attribute("aria-sort") == "descending"
    assert column(page, "methods", 0)[-1] == "linear"
    title(page, "methods", "method").focus()
    page.keyboard.press("Space")
    assert header.get_attribute("aria-sort") == "none"


def test_words_filter_rows_and_the_number_of_rows_is_shown(page: Page) -> None:
    methods = page.locator("#table-methods")
    assert methods.locator("output").inner_text() == "5 of 5 rows"
    assert methods.locator("output").get_attribute("aria-live") == "polite"
    methods.get_by_label("Filter rows").fill("LA lift")
    assert column(page, "methods", 0) == ["lift", "lift_plus"]
    assert methods.locator("output").inner_text() == "2 of 5 rows"
    methods.get_by_label("Filter rows").fill("-10.2")  # typed so, shown with a minus sign
    assert column(page, "methods", 0) == ["full"]
    methods.get_by_label("Filter rows").fill("nothing is called so")
    assert methods.locator("output").inner_text() == "0 of 5 rows"


def test_a_choice_filters_together_with_words_and_survives_sorting(page: Page) -> None:
    methods = page.locator("#table-methods")
    methods.get_by_label("loss").select_option("ce")
    assert column(page, "methods", 0) == ["full", "linear"]
    title(page, "methods", "learned parameters").click()
    title(page, "methods", "learned parameters").click()
    assert column(page, "methods", 0) == ["linear", "full"]
    methods.get_by_label("Filter rows").fill("79.5")
    assert column(page, "methods", 0) == ["full"]
    methods.get_by_label("loss").select_option("all")
    methods.get_by_label("Filter rows").fill("")
    assert len(column(page, "methods", 0)) == 5


def test_of_a_long_table_the_first_rows_are_shown_until_all_are_asked_for(page: Page) -> None:
    classes = page.locator("#table-classes")
    classes.locator("summary").first.click()
    assert len(column(page, "classes", 0)) == 200
    assert classes.locator("output").inner_text() == "300 of 300 rows, the first 200 shown"
    title(page, "classes", "class").click()
    title(page, "classes", "class").click()
    assert column(page, "classes", 0)[:2] == ["class 299", "class 298"]  # not "class 99"
    classes.get_by_label("Show all").check()
    assert len(column(page, "classes", 0)) == 300


def test_small_tables_have_no_filters(page: Page) -> None:
    assert not page.locator("#table-wide .controls").is_visible()


@pytest.mark.parametrize("width", [360, 768, 1024, 1280])
def test_the_page_never_scrolls_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    scrolled = page.locator("#table-wide .scroll")
    assert scrolled.evaluate("box => box.scrollWidth > box.clientWidth")


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (390, ["rank", "method", "overall", "few"]),
        (1280, ["rank", "method", "overall", "many", "medium", "few"]),
    ],
)
def test_the_first_columns_are_in_sight_and_the_rest_is_behind_a_control(
    page: Page, width: int, titles: list[str]
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    ranked = page.locator("#table-ranked")
    assert [text.strip() for text in ranked.locator("thead th:visible").all_inner_texts()] == titles
    box = ranked.locator(".scroll").evaluate("box => [box.scrollWidth, box.clientWidth]")
    assert box[0] <= box[1]
    ranked.get_by_label("More columns").focus()
    page.keyboard.press("Space")
    assert ranked.locator("thead th:visible").count() == 15
    name = ranked.locator("tbody th").first
    before = name.bounding_box()
    ranked.locator(".scroll").evaluate("box => { box.scrollLeft = 300 }")
    assert name.bounding_box() == before


def test_on_a_wide_screen_the_figure_is_beside_the_table(page: Page) -> None:
    table, figure = (
        page.locator(name).bounding_box() for name in ("#table-ranked", "#figure-beside")
    )
    assert table is not None
    assert figure is not None
    assert figure["x"] >= table["x"] + table["width"]
    assert figure["y"] < 400


def test_a_long_table_is_whole_on_demand(page: Page) -> None:
    long = page.locator("#table-long")
    long.locator("summary").first.click()
    assert long.locator("output").inner_text() == "1200 of 1200 rows, the first 200 shown"
    long.get_by_label("Filter rows").fill("1199")
    assert column(page, "long", 1) == ["119.9"]
    title(page, "long", "accuracy").click()
    title(page, "long", "accuracy").click()
    long.get_by_label("Filter rows").fill("")
    assert column(page, "long", 1)[0] == "119.9"
    long.get_by_label("Show all").check()
    assert len(column(page, "long", 0)) == 1200


def test_words_are_explained_by_pointer_and_by_keyboard(page: Page) -> None:
    tip = page.get_by_role("tooltip")
    assert tip.count() == 0
    word = page.get_by_role("button", name="max-T").first
    word.hover()
    assert "all pairs of methods at once" in tip.inner_text()
    page.mouse.move(0, 700)
    assert tip.count() == 0
    page.keyboard.press("Tab")
    word.focus()
    assert tip.is_visible()
    assert word.get_attribute("aria-describedby") == tip.get_attribute("id")
    page.keyboard.press("Escape")
    assert tip.count() == 0
    title(page, "methods", "accuracy").focus()
    assert tip.inner_text() == "Share of the test images."


def test_values_of_a_figure_are_read_by_pointer_and_by_keyboard(page: Page) -> None:
    tip = page.get_by_role("tooltip")
    drawing = page.locator("#figure-curve .drawing")
    drawing.scroll_into_view_if_needed()
    box = drawing.locator("circle").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 12, box["y"] + 8)  # near the mark
    assert tip.inner_text() == "lift: 81.0"
    page.mouse.move(box["x"] + 90, box["y"] + 8)
    assert tip.count() == 0
    drawing.focus()
    for key, text in (
        ("ArrowRight", "lift: 81.0"),
        ("ArrowRight", "full: 79.5"),
        ("ArrowDown", "lift: 81.0"),
        ("End", "full: 79.5"),
        ("ArrowLeft", "lift: 81.0"),
    ):
        page.keyboard.press(key)
        assert tip.inner_text() == text
    page.keyboard.press("Escape")
    assert tip.count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_until_the_reader_chooses(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    other = "Light" if scheme == "dark" else "Dark"
    ground = "getComputedStyle(document.body).backgroundColor"
    system = page.evaluate(ground)
    assert (system == "rgb(255, 255, 255)") == (scheme == "light")
    page.get_by_role("button", name=f"{other} colours").press("Enter")
    assert page.evaluate(ground) != system
    page.reload()
    assert page.evaluate(ground) != system
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    page.locator("#table-ranked").get_by_label("More columns").check()
    page.get_by_role("button", name="max-T").first.hover()
    found = Axe().run(page).response["violations"]
    assert [
        (one["id"], one["impact"], [node["html"] for node in one["nodes"]][:3]) for one in found
    ] == []


def test_titles_and_names_stay_in_sight(page: Page) -> None:
    page.locator("#table-classes summary").first.click()
    for table, move in (("classes", "box.scrollTop = 500"), ("wide", "box.scrollLeft = 500")):
        box = page.locator(f"#table-{table} .scroll")
        before = page.locator(f"#table-{table} thead th").first.bounding_box()
        box.evaluate(f"box => {{ {move} }}")
        assert page.locator(f"#table-{table} thead th").first.bounding_box() == before


def test_every_control_is_reached_by_tab_and_its_focus_is_seen(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    page.evaluate("document.querySelector('.show-more').checked = true")
    controls = page.locator("a, button, input, select, summary, [tabindex]").count()
    seen = set()
    for _ in range(controls):
        page.keyboard.press("Tab")
        place, outline, width = page.evaluate(
            """() => {
                const at = document.activeElement;
                const { outlineStyle, outlineWidth } = getComputedStyle(at);
                const place = [...document.querySelectorAll("*")].indexOf(at);
                return [place, outlineStyle, parseFloat(outlineWidth)];
            }"""
        )
        assert outline == "solid"
        assert width >= 2
        seen.add(place)
    assert len(seen) == controls


def test_the_skip_link_leads_to_the_content(page: Page) -> None:
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    box = skip.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_print_has_the_content_and_no_controls(page: Page) -> None:
    page.emulate_media(media="print")
    for hidden in ("nav", ".controls", ".skip", ".files", ".switch"):
        assert not page.locator(hidden).first.is_visible(), hidden
    for opened in ("#table-classes table", ".notes li", ".word"):
        assert page.locator(opened).first.is_visible(), opened
    for shown in ("h1", "#table-methods table", "#figure-curve svg", "pre"):
        assert page.locator(shown).first.is_visible(), shown
    box = page.locator("#table-wide .scroll")
    assert box.evaluate("box => getComputedStyle(box).overflow") == "visible"


def test_print_says_that_rows_are_left_out(page: Page) -> None:
    page.locator("#table-methods").get_by_label("Filter rows").fill("lift")
    page.emulate_media(media="print")
    assert page.locator("#table-methods output").is_visible()
    assert not page.locator("#table-methods").get_by_label("Filter rows").is_visible()


def test_without_scripts_the_tables_are_whole(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("#table-classes tbody tr").count() == 300
    assert page.locator("#table-long .cut").count() == 1
    assert page.locator("select, input[type=search], thead button, .theme").count() == 0
    ranked = page.locator("#table-ranked")
    assert ranked.locator("thead th:visible").count() == 6
    ranked.get_by_label("More columns").check()
    assert ranked.locator("thead th:visible").count() == 15
    page.get_by_role("button", name="max-T").first.press("Enter")
    assert page.locator(".word:popover-open").is_visible()
    context.close()


def test_a_script_from_elsewhere_does_not_run(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    attack = "<script>document.title = 'run'</script></body>"
    path.write_text(render_page(example()).replace("</body>", attack), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.title() == "Methods & losses"
    page.close()
