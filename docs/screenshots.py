"""Takes the pictures of a report's page for the documentation.

python -m docs.screenshots         # needs chromium; or `make screenshots`
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.registry.load import load_plugins
from ltbench.report.build import build_report
from ltbench.storage.results import find_runs

HERE = Path(__file__).parent
RUNS = HERE.parent / "benchmarks/results/digits/runs"
FIGURES = HERE / "figures"
SIZES = {1280: 800, 390: 844}
"""Width of a window -> its height, in pixels."""
THEMES = ("light", "dark")


def write_report(out: Path) -> Path:
    """Writes the report of the committed runs of the digits, and returns the path of its page."""
    found = find_runs([RUNS])
    board = build_leaderboard(found.cells(), load_plugins())
    build_report(found, board).write(out)
    return out / "index.html"


def take_pictures(browser: Browser, page: Path, folder: Path) -> None:
    """Takes a picture of the first screen for each size and theme.

    Args:
        browser: Running browser.
        page: HTML file.
        folder: Folder of the pictures, `report-WIDTH-THEME.png`.
    """
    for width, height in SIZES.items():
        for theme in THEMES:
            tab = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
            )
            tab.goto(page.as_uri())
            tab.screenshot(path=folder / f"report-{width}-{theme}.png")
            tab.close()


def main() -> None:
    """Takes all pictures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = write_report(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        take_pictures(browser, page, FIGURES)
        browser.close()


if __name__ == "__main__":
    main()
