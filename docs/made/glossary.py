"""The page of the glossary."""

from __future__ import annotations

from collections.abc import Iterator

from ltbench.manual.glossary import ENTRIES
from ltbench.manual.pages import find_page
from ltbench.registry.registry import Registry

_INTRODUCTION = """# Glossary

The words of the field and of ltbench, in alphabetical order. `ltbench docs WORD` prints the same
in the terminal. Made from the package by `make docs`: do not edit.
"""


def glossary_page(registry: Registry) -> str:
    """Returns the page of all words, each with its own heading."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    for term, entry in ENTRIES.items():
        page = find_page(entry.page)
        assert page is not None, f"{term}: no page {entry.page}"
        also = f" Also: *{', '.join(entry.aliases)}*." if entry.aliases else ""
        more = f"More: [{page.title}]({page.source})."
        yield f"## {term}\n\n{entry.text}{also} {more}\n"
