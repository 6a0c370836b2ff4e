"""Pictures of reports in a browser, on a screen and on a phone, light and dark."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

SIZES = {"screen": (1280, 860), "phone": (390, 860)}
"""Width and height of each picture in pixels."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_BROWSERS = ("chromium", "google-chrome", "chromium-browser")
_QUALITY = 82


def find_browser() -> str | None:
    """Returns the path of a Chromium of the system; None without one."""
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def picture_reports(reports: Mapping[str, Path], folder: Path) -> None:
    """Writes the first screen of each report as `report_NAME_SIZE_SCHEME.webp`.

    Without a browser nothing is written, and a line reports it.

    Args:
        reports: Folder of each report, by name.
        folder: Folder of the pictures.
    """
    browser = find_browser()
    if browser is None:
        print(f"no pictures of reports: expected one of {', '.join(_BROWSERS)}")  # noqa: T201
        return
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for size, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                context = opened.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                page = context.new_page()
                for name, report in reports.items():
                    page.goto((report / "index.html").resolve().as_uri())
                    picture = Image.open(io.BytesIO(page.screenshot()))
                    target = folder / f"report_{name}_{size}_{scheme}.webp"
                    picture.save(target, quality=_QUALITY, method=6)
        opened.close()
