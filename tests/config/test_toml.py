from __future__ import annotations

import pytest

from ltbench.config.text import Text, from_toml
from ltbench.config.toml import MAX_DEPTH, parse_toml
from ltbench.config.types import read_text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 2000 + "]" * 2000, "nested more than"),
        ("a = " + "[" * 100 + "]" * 100, "nested more than"),
        ("a = " + "{b = " * 2000 + "1" + "}" * 2000, "nested more than"),
        ("b." * 5000 + "c = 1", "a key has more than"),
        ("[" + '"b" . ' * 5000 + "c]", "a key has more than"),
        ("a = " + "9" * 5000, "too many digits"),
        ("a = ", "Invalid value"),
    ],
)
def test_what_the_parser_does_not_stand_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_toml(text)


def test_what_a_person_writes_is_read() -> None:
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert parse_toml(f"a = {deep}\n[[b]]\nc.d = 1\n")["b"] == [{"c": {"d": 1}}]
    words = "a" * 100_000  # one long word, and a text of many sentences
    assert parse_toml(f'{words} = "{"One sentence. " * 1000}"')


def test_nested_brackets_on_the_command_line_are_a_text() -> None:
    for text in ("[" * 2000, "[" * 2000 + "]" * 2000, "{a=" * 2000):
        with pytest.raises(ValueError):  # noqa: PT011  # whatever TOML says
            from_toml(text)
        assert read_text(Text(text), int) == text
