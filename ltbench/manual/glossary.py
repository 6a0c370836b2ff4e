"""Glossary: one explanation for each word of the field and of ltbench.

The texts are in `glossary.toml`. The page of the glossary, `ltbench docs WORD` and the report show
them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ltbench.errors import ConfigError, suggestion


@dataclass(frozen=True)
class GlossaryEntry:
    """Explanation of a word.

    Args:
        text: One to three sentences of plain text.
        page: Topic of the page that has more, as for `ltbench docs`.
        aliases: Other words with this explanation.
    """

    text: str
    page: str
    aliases: tuple[str, ...] = ()


def _read() -> dict[str, GlossaryEntry]:
    text = Path(__file__).with_name("glossary.toml").read_text(encoding="utf-8")
    return {
        term: GlossaryEntry(one["text"], one["page"], tuple(one.get("aliases", ())))
        for term, one in tomllib.loads(text).items()
    }


ENTRIES: Mapping[str, GlossaryEntry] = MappingProxyType(_read())
"""All words in alphabetical order, with explanation, page and aliases."""

GLOSSARY: Mapping[str, str] = MappingProxyType({term: one.text for term, one in ENTRIES.items()})
"""Explanation of each word."""

_TERM_OF = {word.lower(): term for term, one in ENTRIES.items() for word in (term, *one.aliases)}


def find_term(word: str) -> str | None:
    """Returns the term of the glossary that a word or one of its aliases names, or None.

    >>> find_term("ece"), find_term("Few-Shot"), find_term("nothing")
    ('calibration error', 'few-shot', None)
    """
    return _TERM_OF.get(" ".join(word.lower().split()))


def explain(term: str) -> str:
    """Returns the explanation of a word, in one to three sentences of plain text.

    Args:
        term: Word of the glossary or one of its aliases; case does not matter.

    Raises:
        ConfigError: If the glossary has no such word.
    """
    found = find_term(term)
    if found is None:
        raise ConfigError(f"no word '{term}' in the glossary", hint=suggestion(term, _TERM_OF))
    return GLOSSARY[found]
