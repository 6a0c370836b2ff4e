from __future__ import annotations

import re
from pathlib import Path

import pytest

from ltbench.errors import ConfigError
from ltbench.manual.glossary import ENTRIES
from ltbench.manual.pages import find_page, pages, topics_with

ROOT = Path(__file__).parents[2]
MENTIONED = re.compile(r"ltbench docs ([a-z][\w/-]*)(?:#([\w-]+))?")
PATH = re.compile(r"docs/[a-z][\w/-]*\.md")


def sources() -> list[Path]:
    folders = (ROOT / "ltbench", ROOT / "plugins")
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".py", ".jinja", ".toml", ".html", ".js")
    ]


def test_pages_have_titles_and_the_first_is_the_index() -> None:
    found = pages()
    assert next(iter(found)) == "index"
    assert {"statistics", "plugins", "plugins/loss", "reference/results"} <= found.keys()
    assert all(page.title for page in found.values())
    assert find_page("docs/statistics.md") == find_page("statistics") == found["statistics"]
    assert find_page("plugins/index.md") == found["plugins"]
    assert find_page("tutorial") == found["plugins/tutorial"]
    assert find_page("nothing") is None


def test_a_section_ends_at_the_next_heading_of_its_level() -> None:
    page = pages()["statistics"]
    section = page.section("equivalence")
    assert section.startswith("## Equivalence")
    assert "TOST" in section
    assert "\n## " not in section
    with pytest.raises(ConfigError, match="no section 'equivalenze'") as caught:
        page.section("equivalenze")
    assert caught.value.hint == "did you mean 'equivalence'?"


def test_a_heading_in_code_is_no_section() -> None:
    with pytest.raises(ConfigError):
        pages()["plugins/tutorial"].section("rates.toml")


def test_words_are_found_in_the_pages() -> None:
    assert "statistics" in topics_with("mcnemar")
    assert topics_with("mcne") == []


def test_every_topic_that_the_package_mentions_exists() -> None:
    found = pages()
    for path in sources():
        text = path.read_text(encoding="utf-8")
        assert not PATH.search(text), f"{path}: a user of the wheel has no {PATH.search(text)}"
        for topic, section in MENTIONED.findall(text):
            assert topic in found, f"{path}: no page {topic}"
            assert not section or found[topic].section(section)


def test_every_page_that_the_glossary_names_exists() -> None:
    assert {entry.page for entry in ENTRIES.values()} <= pages().keys()
