"""Pages of the documentation, found in the installed package or in a checkout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ltbench.errors import ConfigError, DataError, suggestion

_INSTALLED = Path(__file__).with_name("markdown")
_CHECKOUT = Path(__file__).parents[2] / "docs"
_HEADING = re.compile(r"(#+) +(.+)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
FIRST_TOPIC = "index"


@dataclass(frozen=True)
class ManualPage:
    """A page of the documentation.

    Args:
        topic: Name: its path without `.md` and `/index.md`, such as "statistics" or "plugins/loss".
        source: Path of its file below the folder of the pages.
        path: The file.
    """

    topic: str
    source: str
    path: Path

    @property
    def text(self) -> str:
        """The page in Markdown."""
        return self.path.read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """The first heading of the page."""
        return next(title for _, _, title in _headings(self.text))

    def section(self, anchor: str) -> str:
        """Returns the section below a heading, with the heading.

        Args:
            anchor: Anchor of the heading, as in the address of the page.

        Raises:
            ConfigError: If the page has no such heading.
        """
        lines = self.text.splitlines()
        found = {_anchor(title): (line, level) for line, level, title in _headings(self.text)}
        if anchor not in found:
            raise ConfigError(
                f"the page {self.topic} has no section '{anchor}'", hint=suggestion(anchor, found)
            )
        first, own = found[anchor]
        later = (line for line, level, _ in _headings(self.text) if line > first and level <= own)
        return "\n".join(lines[first : next(later, len(lines))])


def pages() -> dict[str, ManualPage]:
    """Returns all pages by topic, the first page first, then those of the upper folder.

    Raises:
        DataError: If the installation has no pages.
    """
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    found = sorted(folder.rglob("*.md"), key=lambda path: (path.parent != folder, path))
    if not found:
        raise DataError("the pages of the documentation are not installed", hint="install again")
    listed = [_page(path, path.relative_to(folder).as_posix()) for path in found]
    listed.sort(key=lambda page: page.topic != FIRST_TOPIC)
    return {page.topic: page for page in listed}


def find_page(topic: str) -> ManualPage | None:
    """Returns the page of a topic, or None.

    Args:
        topic: Topic, the path of its file, or the last part of the topic of one page alone.
    """
    known = pages()
    name = _topic(topic.lower().removeprefix("docs/").strip("/"))
    ends = [one for key, one in known.items() if key.endswith(f"/{name}")]
    return known.get(name) or (ends[0] if len(ends) == 1 else None)


def topics_with(word: str) -> list[str]:
    """Returns the topics of the pages that have a word."""
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    return [topic for topic, page in pages().items() if pattern.search(page.text)]


def _page(path: Path, source: str) -> ManualPage:
    return ManualPage(_topic(source), source, path)


def _topic(source: str) -> str:
    """Returns the topic of a file: that of a folder's first page is the folder."""
    return source.removesuffix(".md").removesuffix(f"/{FIRST_TOPIC}")


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yields line number, from 0, level and title of each heading outside of code."""
    fence = ""
    for number, line in enumerate(text.splitlines()):
        mark = line.lstrip()[:3]
        if mark in ("```", "~~~") and (not fence or mark == fence):
            fence = "" if fence else mark
        elif not fence and (found := _HEADING.fullmatch(line)):
            yield number, len(found[1]), _LINK.sub(r"\1", found[2])


def _anchor(title: str) -> str:
    """Returns the anchor of a heading, as MkDocs and GitHub make it."""
    words = re.sub(r"[^\w\s-]", "", title).strip().lower()
    return re.sub(r"[-\s]+", "-", words)
