"""Words of the glossary in the text of a page, each with its explanation beside it."""

from __future__ import annotations

import re

from markupsafe import Markup

from ltbench.io.text import terminal_text
from ltbench.manual.glossary import ENTRIES, GLOSSARY, find_term

_PLAIN_WORDS = frozenset(
    {
        *("accuracy", "augmentation", "backbone", "calibration", "claim", "component", "executor"),
        *(
            "features",
            "feature",
            "few",
            "grid",
            "head",
            "identity",
            "inference",
            "init",
            "leaderboard",
        ),
        *("loss", "many", "margin", "measured", "medium", "method", "optimizer", "overall", "pack"),
        *("plugin", "prior", "profile", "published", "rank", "ranking", "ratio", "recipe"),
        *(
            "run",
            "sampling",
            "schedule",
            "seed",
            "selection",
            "split",
            "study",
            "tail",
            "tie",
            "tied",
        ),
        *("floor", "excess"),
        *("tracker", "trial", "val", "view", "exclusive", "inclusive", "held out", "hash", "power"),
        *("significant", "overall accuracy", "harmonic", "validation", "confidence", "cell"),
    }
)
"""Words of the glossary that a sentence may use in their ordinary sense, or that are common."""

_WORDS = sorted(
    {word for term, entry in ENTRIES.items() for word in (term, *entry.aliases)},
    key=len,
    reverse=True,
)
_SPECIAL_WORDS = re.compile(
    r"(?<![\w.=-])("
    + "|".join(re.escape(word) for word in _WORDS if word not in _PLAIN_WORDS)
    + r")(?![\w=-]|\.\w)",
    re.IGNORECASE,
)


class Terms:
    """Words of the glossary that a page uses.

    A word is explained where a section uses it first.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._explained: set[str] = set()

    def begin_section(self) -> str:
        """Begins a section, in which each word may be explained again; returns no text."""
        self._explained.clear()
        return ""

    def mark_words(self, text: str) -> Markup:
        """Returns a text as HTML, with a button for each special word that is not yet explained."""
        clean, html, end = terminal_text(text), Markup(), 0
        for found in _SPECIAL_WORDS.finditer(clean):
            term = find_term(found[0])
            if term is None or term in self._explained:
                continue
            html += clean[end : found.start()]
            html += self._button(term, found[0])
            end = found.end()
        return html + clean[end:]

    def mark_name(self, name: str) -> Markup:
        """Returns the name of a property as HTML, with a button if the glossary explains it."""
        clean = terminal_text(name)
        term = find_term(clean.replace("_", " "))
        if term is None or term in self._explained:
            return Markup.escape(clean)
        return self._button(term, clean)

    def explained(self) -> list[tuple[str, str, str]]:
        """Returns id, word and explanation of each word used so far, in alphabetical order."""
        used = sorted(self._used, key=str.casefold)
        return [(_anchor(term), term, GLOSSARY[term]) for term in used]

    def _button(self, term: str, shown: str) -> Markup:
        self._used.add(term)
        self._explained.add(term)
        return Markup('<button type="button" class="term" popovertarget="{}">{}</button>').format(
            _anchor(term), shown
        )


def _anchor(term: str) -> str:
    return "term-" + re.sub(r"[^a-z0-9]+", "-", term.lower())
