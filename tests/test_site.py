"""The documentation as a site: it is built without a warning, and asks nothing of the network."""

from __future__ import annotations

import functools
import html
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Request, ViewportSize, expect, sync_playwright

from tests.chromium import CHROMIUM, needs_chromium

ROOT = Path(__file__).parent.parent
SHOWN = [
    *("index.html", "gallery.html", "glossary.html", "plugins/tutorial.html"),
    *("reference/command.html", "components.html"),
]
READ = [
    *("index.html", "gallery.html", "long-tail.html", "statistics.html"),
    *("plugins/loss.html", "reference/settings.html"),
]
"""Pages for axe-core: each form of content once. It takes half a minute for the longest pages."""
STRAY = re.compile(r"\\[\[\]|_*<>#`]")
"""Backslashes that escape markup: none is left on a page."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
    built = subprocess.run(
        [*command, "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_every_page_is_in_the_navigation(site: Path) -> None:
    """Strict building says where a page links to nothing; here is that no page is forgotten."""
    pages = {path.relative_to(ROOT / "docs").with_suffix("") for path in ROOT.glob("docs/**/*.md")}
    built = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    assert pages <= built
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2]
    assert [page.as_posix() for page in pages if f"{page.as_posix()}.md" not in navigation] == []


def test_no_page_has_a_stray_backslash(site: Path) -> None:
    for path in site.rglob("*.html"):
        if path.is_relative_to(site / "gallery"):
            continue
        _, _, content = path.read_text(encoding="utf-8").partition("<article")
        prose = re.sub(r"<pre\b.*?</pre>", "", content.partition("</article>")[0], flags=re.DOTALL)
        text = html.unescape(re.sub(r"<[^>]+>", "", prose))
        assert not STRAY.search(text), f"{path.name}: {STRAY.findall(text)}"


def test_every_picture_of_a_page_is_in_the_site(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<p>!" not in text, f"{page.relative_to(site)}: a picture that was not found"


def test_the_reports_of_the_gallery_are_in_the_site(site: Path) -> None:
    page = (site / "gallery.html").read_text(encoding="utf-8")
    reports = re.findall(r'href="(gallery/[^"]*/index\.html)"', page)
    assert len(reports) >= 3
    for report in reports:
        assert "<title>" in (site / report).read_text(encoding="utf-8")
        assert list((site / report).parent.glob("figures/*.svg"))


@pytest.mark.full
@needs_chromium
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_and_load_nothing_from_elsewhere(address: str, width: int) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            asked.append(request.url)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("request", note)
        for path in SHOWN:
            page.goto(address + path)
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider <= 0, f"{path} is {wider} pixels wider than the screen"
        if width > 1000:  # a phone opens a page of its own for it
            page.wait_for_load_state("networkidle")  # what is typed before is heard by nobody
            page.locator("input[name=query]").click()
            page.keyboard.type("logit_adjusted")
            expect(page.locator(".md-search-result__item").first).to_be_visible(timeout=60_000)
        browser.close()
    assert asked == []


@pytest.mark.full
@needs_chromium
def test_a_folder_can_be_searched_and_commands_are_copied_without_prompts(site: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(
            "document.addEventListener('copy', () => {"
            " window.copied = document.activeElement.value }, true)"
        )
        page.goto((site / "tuning.html").as_uri())
        page.locator("[data-clipboard-target]").nth(1).click()
        copied = page.evaluate("window.copied")
        assert copied.startswith("ltbench tune")
        assert copied.count("\n") == 0, "the output of the command is left out"
        page.locator("input[name=query]").click()
        page.keyboard.type("critical difference")
        found = page.locator(".md-search-result__item a").first
        expect(found).to_be_visible(timeout=60_000)
        assert (found.get_attribute("href") or "").startswith("file:")
        browser.close()


@pytest.mark.full
@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_can_be_read_by_all(site: Path, width: int, scheme: Literal["light", "dark"]) -> None:
    """axe-core: nothing serious. Its moderate findings are landmarks of the theme without names."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        size: ViewportSize = {"width": width, "height": 900}
        page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
        for path in READ:
            page.goto((site / path).as_uri())
            page.wait_for_load_state("load")
            found = Axe().run(page).response["violations"]
            serious = [one for one in found if one["impact"] in ("serious", "critical")]
            assert not serious, (path, [(one["id"], one["nodes"][0]["html"]) for one in serious])
        browser.close()
