"""The documentation as a site: it is built without a warning, and asks nothing of the network."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Request, expect, sync_playwright

ROOT = Path(__file__).parent.parent
FOUND = (shutil.which(name) for name in ("chromium", "google-chrome", "chromium-browser"))
SHOWN = ["index.html", "plugins/tutorial.html", "reference/command.html", "components.html"]
CHROMIUM = next((path for path in FOUND if path), None)


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


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
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
