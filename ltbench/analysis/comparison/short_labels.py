"""Short labels for long names of methods, and the key that explains them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MAX_LABEL_CHARACTERS = 22
"""Length of a label that figures and narrow tables have room for."""

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_OPENING, _CLOSING = "([{", ")]}"
_SEPARATORS = " _+/,.-"


@dataclass(frozen=True)
class ShortLabels:
    """Labels of methods, the same in all tables and figures of a page.

    Args:
        texts: Name -> label; the name itself where it is short.
        marks: Name -> mark at the end of its label, and the text that the mark replaces; only of
            names whose label has a mark. Equal settings have the same mark.
    """

    texts: Mapping[str, str]
    marks: Mapping[str, tuple[str, str]]

    def key(self, names: Iterable[str] | None = None) -> list[tuple[str, str]]:
        """Returns each mark and the text that it replaces, in the order of the marks.

        Args:
            names: Names whose marks are returned; None for all.
        """
        used = self.marks if names is None else [name for name in names if name in self.marks]
        wanted = {self.marks[name] for name in used}
        return [each for each in dict.fromkeys(self.marks.values()) if each in wanted]


def short_labels(names: Iterable[str], *, width: int = MAX_LABEL_CHARACTERS) -> ShortLabels:
    """Returns a unique label for each name, shortened only where the name is longer than `width`.

    The first of these that is short enough and unique is the label: the name; the name with the
    last parts of its option keys, `probe (epochs=3)` for `probe (train.epochs=3)`; the
    method with a mark that stands for its settings, `probe ¹`. Words are never cut: a method
    whose name is too long ends with an ellipsis after a whole word, or stays as it is.

    Args:
        names: Names such as `mine` and `mine (method.rank=8, loss=focal)`; each once.
        width: Maximum number of characters of a label before its mark, if words allow.

    >>> found = short_labels(["mine", "mine (train.epochs=3)", "mine (train.lr=0.1, loss=focal)"])
    >>> list(found.texts.values())
    ['mine', 'mine (train.epochs=3)', 'mine ¹']
    >>> found.key()
    [('¹', 'train.lr=0.1, loss=focal')]
    """
    unique = list(dict.fromkeys(names))
    texts = {name: name for name in unique if len(name) <= width}
    long = [name for name in unique if name not in texts]
    plain = _without_prefixes(unique)
    forms = Counter(plain.values())
    texts |= {
        name: plain[name]
        for name in long
        if len(plain[name]) <= width and forms[plain[name]] == 1 and plain[name] not in texts
    }
    meanings: dict[str, str] = {}
    marks: dict[str, tuple[str, str]] = {}
    taken = set(texts.values())
    for name in (name for name in long if name not in texts):
        base, rest = _split_name(name)
        head = leading_words(base, width)
        meaning = rest if head == base else name
        if head == base and not rest and head not in taken:  # a single word, longer than a label
            texts[name] = head
        else:
            mark = meanings.setdefault(meaning, _superscript(len(meanings) + 1))
            while f"{head} {mark}" in taken:  # a method has this name
                meaning, mark = name, _superscript(len(meanings) + 1)
                meanings[f"{name} {mark}"] = mark
            texts[name], marks[name] = f"{head} {mark}", (mark, meaning)
        taken.add(texts[name])
    return ShortLabels({name: texts[name] for name in unique}, marks)


def _split_name(name: str) -> tuple[str, str]:
    """Splits a name into the method and its settings; the settings may be empty."""
    base, bracket, rest = name.partition(" (")
    if not bracket:
        return name, ""
    inner = rest[:-1] if rest.endswith(")") and _is_balanced(rest[:-1]) else f"({rest}"
    return base, inner


def _is_balanced(text: str) -> bool:
    depth = 0
    for letter in text:
        depth += (letter in _OPENING) - (letter in _CLOSING)
        if depth < 0:
            return False
    return depth == 0


def _without_prefixes(names: Sequence[str]) -> dict[str, str]:
    """Returns the names with the last parts of their option keys, where these are unambiguous."""
    keys = {key for name in names for key in _option_keys(_split_name(name)[1])}
    last = Counter(key.rpartition(".")[2] for key in keys)
    short = {key: end for key in keys if last[end := key.rpartition(".")[2]] == 1}
    found = {}
    for name in names:
        base, rest = _split_name(name)
        said = re.sub(
            r"(^|, )([\w.]+)(?==)", lambda m: m[1] + short.get(m[2], m[2]), rest, flags=re.ASCII
        )
        found[name] = f"{base} ({said})" if rest else base
    return found


def _option_keys(settings: str) -> Iterator[str]:
    for found in re.finditer(r"(?:^|, )([\w.]+)=", settings, flags=re.ASCII):
        yield found[1]


def leading_words(text: str, width: int) -> str:
    """Returns the text, or the first of its words that fit, with an ellipsis.

    Args:
        text: Text. A first word that does not fit stays whole.
        width: Maximum number of characters.

    >>> leading_words("low_rank_adapters", 12)
    'low_rank…'
    """
    if len(text) <= width or not text:
        return text
    kept, *pieces = re.findall(r"[^\s_+/,.-]+[\s_+/,.-]*|[\s_+/,.-]+", text)
    for piece in pieces:
        if len((kept + piece).rstrip(_SEPARATORS)) > width - 1:
            break
        kept += piece
    return text if kept == text else kept.rstrip(_SEPARATORS) + "…"


def _superscript(number: int) -> str:
    return str(number).translate(_SUPERSCRIPTS)
