from __future__ import annotations

import re
from pathlib import Path

import pytest

from ltbench.manual.pages import ManualPage, pages
from ltbench.manual.plain import for_terminal

PAGE = ManualPage("plugins/loss", "plugins/loss.md", Path("loss.md"))


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[Statistics](../statistics.md#a-b).", "Statistics (`ltbench docs statistics#a-b`)."),
        ("see [method.md](method.md)", "see `ltbench docs plugins/method`"),
        ("[plugins](index.md)", "plugins (`ltbench docs plugins`)"),
        ("[below](#options)", "below"),
        ("[Design](../../CONTRIBUTING.md)", "Design"),
        ("[LIFT](https://arxiv.org/abs/2309.10019)", "[LIFT](https://arxiv.org/abs/2309.10019)"),
        ("![Ranks of methods](figures/a.svg)", "*Figure: Ranks of methods*"),
        ("<!-- names: made -->\n:material-scale: one { .card }", "one"),
        ("```\n[a](b.md) <!-- -->\n```", "```\n[a](b.md) <!-- -->\n```"),
    ],
)
def test_links_become_commands(markdown: str, expected: str) -> None:
    assert for_terminal(PAGE, markdown).strip() == expected


def test_no_page_keeps_markup_that_a_terminal_cannot_show() -> None:
    for page in pages().values():
        text = re.sub(r"^ *```.*?^ *```", "", for_terminal(page, page.text), flags=re.S | re.M)
        plain = re.sub(r"`[^`\n]*`", "", text)
        assert not re.search(r"<!--|</?div|\.md[)#]|\{ ?[.:]", plain), page.topic
