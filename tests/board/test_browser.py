"""The site in a browser: from a folder, by keyboard, at two widths, in both colour schemes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from ltbench.board.build import build_board
from ltbench.board.contributors import read_contributions
from ltbench.registry.registry import Registry
from tests.board.test_build import fill
from tests.chromium import CHROMIUM, needs_chromium

pytestmark = [
    pytest.mark.full,
    needs_chromium,
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    tmp = tmp_path_factory.mktemp("board")
    contributions = read_contributions(fill(tmp / "packs", registry, tmp / "work"))
    build_board(contributions, registry, tmp / "data").write(tmp / "site")
    return tmp / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")], ids=str)
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Opens a page, and checks after each test that it logged no error and left the folder."""
    width, scheme = request.param
    page = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda one: wrong.append(one.url) if one.url[:5] == "http:" else None)
    page.set_default_timeout(60_000)
    yield page
    page.close()
    assert wrong == []


def places(site: Path) -> list[Path]:
    (entry,) = site.glob("digits_lt/lora-*.html")
    return [site / "index.html", site / "digits_lt" / "index.html", entry]


def test_pages_have_no_serious_finding(page: Page, site: Path) -> None:
    for path in places(site):
        page.goto(path.as_uri())
        found = Axe().run(page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        told = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in serious]
        assert not told, f"{path.name}: {told}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name


def test_the_way_to_a_command_needs_no_mouse(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    page.get_by_role("link", name="digits_lt").first.press("Enter")
    page.get_by_role("link", name="lora", exact=True).first.press("Enter")
    assert "lora on digits_lt" in page.title()
    button = page.get_by_role("button", name="Copy").first
    button.press("Enter")
    page.wait_for_function(
        "['Copied', 'Selected'].includes(document.querySelector('.copy').textContent)"
    )
    page.get_by_role("link", name="All data sets").press("Enter")
    page.wait_for_url("**/index.html")
    assert page.get_by_role("heading", name="Add a result").is_visible()
