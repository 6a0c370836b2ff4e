from __future__ import annotations

import re

import pytest

from ltbench.errors import ConfigError
from ltbench.manual.glossary import ENTRIES, GLOSSARY, explain, find_term


def test_the_words_are_in_alphabetical_order_and_unambiguous() -> None:
    assert list(ENTRIES) == sorted(ENTRIES, key=str.lower)
    words = [word.lower() for term, one in ENTRIES.items() for word in (term, *one.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("term", GLOSSARY)
def test_a_text_is_one_to_three_sentences_without_markup(term: str) -> None:
    text = GLOSSARY[term]
    assert 1 <= len(re.findall(r"[.](?: |$)", text)) <= 3
    assert text.endswith(".")
    assert not re.search(r"[`*\[\]<>|]|  ", text)


def test_explain_takes_aliases_in_any_case() -> None:
    assert explain("tost") == GLOSSARY["TOST"]
    assert explain("ECE") == GLOSSARY["calibration error"]
    assert explain("Tie") == GLOSSARY["rank"]
    assert find_term("nothing like it") is None


def test_an_unknown_word_is_an_error_with_the_nearest_ones() -> None:
    with pytest.raises(ConfigError, match="no word 'few-shots' in the glossary") as caught:
        explain("few-shots")
    assert "few-shot" in (caught.value.hint or "")
