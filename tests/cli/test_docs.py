from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from docs.made.command import verbs
from ltbench.cli.app import app
from ltbench.cli.epilogs import PAGES
from ltbench.manual.glossary import GLOSSARY, find_term
from ltbench.manual.pages import find_page, pages
from tests.conftest import Ended

Cli = Callable[..., Ended]


def test_topics_are_listed(cli: Cli) -> None:
    shown = cli("docs").out
    assert all(topic in shown for topic in pages())
    listed = cli("docs", "--json").json
    assert [one["topic"] for one in listed["topics"]] == list(pages())
    assert listed["words"] == dict(GLOSSARY)


def test_a_page_a_section_and_a_word_are_shown(cli: Cli) -> None:
    page = cli("docs", "statistics").out
    assert "Reading the statistics" in page
    assert "ltbench docs python" in page, "links are commands"
    section = cli("docs", "statistics#equivalence").out
    assert "TOST" in section
    assert len(section) < len(page) / 3
    for word in (["tost"], ["p", "value"], ["ECE"]):
        assert "More: ltbench docs" in cli("docs", *word).out
    assert cli("docs", "runs#tags", "--json").json["markdown"].startswith("## Tags")
    assert cli("docs", "tie", "--json").json["word"] == "rank"


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("statistic", "did you mean 'statistics'?"),
        ("images", "did you mean 'own-images'?"),
        ("runs#tag", "did you mean 'tags'?"),
        ("Schuirmann", "it occurs in the pages statistics; `ltbench docs` lists all pages"),
        ("", "`ltbench docs` lists all pages"),
        ("../../etc/passwd", "`ltbench docs` lists all pages"),
    ],
)
def test_an_unknown_topic_is_an_error_with_a_hint(cli: Cli, topic: str, hint: str) -> None:
    ended = cli("docs", topic)
    assert (ended.code, ended.out) == (2, "")
    assert hint in ended.err


def test_every_help_page_names_a_page_and_words_that_exist() -> None:
    root = typer.main.get_command(app)
    for name, verb, _ in verbs(root):
        group = name.split()[1]
        if group not in ("doctor", "docs"):
            assert group in PAGES, f"{group}: add a line to ltbench/cli/epilogs.py"
            topic, _ = PAGES.get(name.removeprefix("ltbench "), PAGES[group])
            assert f"ltbench docs {topic}" in verb.epilog
    for topic, words in PAGES.values():
        name, _, section = topic.partition("#")
        page = find_page(name)
        assert page is not None
        assert page.topic == name
        assert not section or page.section(section)
        assert all(find_term(word) for word in words)


def test_pages_are_completed(cli: Cli) -> None:
    from ltbench.cli.completion import complete_topic

    assert [name for name, _ in complete_topic("stat")] == ["statistics"]


def test_the_folder_of_pages_may_not_be_missing(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltbench.manual.pages._CHECKOUT", tmp_path)
    ended = cli("docs")
    assert (ended.code, "not installed" in ended.err) == (4, True)


def test_a_word_has_no_sections(cli: Cli) -> None:
    ended = cli("docs", "cell#x")
    assert ended.code == 2
    assert "unknown topic or word 'cell#x'" in ended.err
    assert "did you mean 'cell'?" in ended.err
