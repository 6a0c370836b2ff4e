"""Writes the pages of the documentation that are generated from the code.

python -m docs.generate            # or `make docs`
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.made.command import command_page
from docs.made.components import components_page
from docs.made.conformance import conformance_page
from docs.made.glossary import glossary_page
from docs.made.long_tail import long_tail_svg
from docs.made.parts import MARKED, filled
from docs.made.picture import leaderboard_svg
from docs.made.rooms import rooms_svg
from docs.made.settings import settings_page
from docs.made.source import hooks_page, protocols_page, specs_page
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry

HERE = Path(__file__).parent
WHOLE = {
    "components.md": components_page,
    "conformance.md": conformance_page,
    "figures/leaderboard.svg": leaderboard_svg,
    "figures/long_tail.svg": long_tail_svg,
    "figures/rooms.svg": rooms_svg,
    "glossary.md": glossary_page,
    "reference/command.md": command_page,
    "reference/hooks.md": hooks_page,
    "reference/protocols.md": protocols_page,
    "reference/settings.md": settings_page,
    "reference/specs.md": specs_page,
}
"""Pages that are generated as a whole."""


def _with_parts(name: str) -> Callable[[Registry], str]:
    return lambda registry: filled((HERE / name).read_text(encoding="utf-8"))


_WRITTEN = [page.relative_to(HERE).as_posix() for page in sorted(HERE.rglob("*.md"))]
PARTS = {
    name: _with_parts(name)
    for name in _WRITTEN
    if MARKED.search((HERE / name).read_text(encoding="utf-8"))
}
"""Pages that are written by hand, with generated parts."""

PAGES = WHOLE | PARTS


def main() -> None:
    """Writes all pages."""
    registry = load_plugins()
    for name, page in PAGES.items():
        (HERE / name).write_text(page(registry), encoding="utf-8")


if __name__ == "__main__":
    main()
