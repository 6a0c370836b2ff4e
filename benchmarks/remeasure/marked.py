"""Parts of pages that `make results` writes, between marks.

<!-- NAME: made by `make results` -->
...
<!-- end of NAME -->
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_MARKED = re.compile(
    r"(?P<begin><!-- (?P<name>[^:>]+): made by `make results` -->\n)"
    r"(?P<text>.*?)"
    r"(?P<end>\n<!-- end of (?P=name) -->)",
    re.DOTALL,
)


def parts_of(page: str) -> dict[str, str]:
    """Returns the text of each part of a page by its name."""
    return {found["name"]: found["text"] for found in _MARKED.finditer(page)}


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Returns a page with the text of some of its parts replaced.

    Raises:
        KeyError: The page has no part of a name.
    """
    missing = parts.keys() - parts_of(page).keys()
    if missing:
        raise KeyError(f"no marks of: {', '.join(sorted(missing))}")
    return _MARKED.sub(
        lambda found: found["begin"] + parts.get(found["name"], found["text"]) + found["end"], page
    )


def fill(path: Path, parts: Mapping[str, str]) -> None:
    """Replaces the text of some parts of a page in its file."""
    path.write_text(filled(path.read_text(encoding="utf-8"), parts), encoding="utf-8")
