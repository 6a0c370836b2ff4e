"""Text of others made harmless: one function for each format that it is written to.

Names of classes, files and plugins, messages of errors and warnings come from anywhere. JSON needs
no function: its own writer escapes.
"""

from __future__ import annotations

import html
import re
from typing import Any

_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
"""Beginning of a cell that a spreadsheet computes; the last four are their full-width forms."""
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~@]|(?<=:)/(?=/)|(?<=\bwww)\.")
"""Characters of markup, and what makes an address of the web a link."""
_TEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
}


def terminal_text(text: str) -> str:
    r"""Returns a text for a terminal or a log: no escape sequences, no hidden characters.

    Control characters, marks that reverse the direction of what follows, and invalid characters
    become "?", other spaces become a space. Lines stay lines.

    >>> terminal_text("a\x1b[2Jb\u202ec\u00a0d\ne")
    'a?[2Jb?c d\ne'
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\n" else " " if char.isspace() else "?"
        for char in text
    )


def line_text(text: str) -> str:
    r"""Returns a text as one line for a terminal, a page or a figure.

    >>> line_text("first\nsecond")
    'first second'
    """
    return terminal_text(text).replace("\n", " ")


def markdown_text(text: str) -> str:
    r"""Returns a text for a cell or a line of GitHub's Markdown: no markup, links or HTML.

    >>> markdown_text("a|b\n<i>")
    'a\\|b \\<i\\>'
    """
    return _MARKDOWN.sub(r"\\\g<0>", line_text(text))


def latex_text(text: str) -> str:
    r"""Returns a text for LaTeX: no commands.

    >>> latex_text("50 % of a_b")
    '50 \\% of a\\_b'
    """
    return "".join(_TEX.get(char, char) for char in line_text(text))


def csv_text(value: Any) -> str:
    """Returns a value for a cell of a CSV file: numbers as they are, and no text is a formula.

    >>> [csv_text(value) for value in (None, True, -0.5, "-0.5", "=1+1", "ten %")]
    ['', 'true', '-0.5', "'-0.5", "'=1+1", 'ten %']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = line_text(str(value))
    return f"'{text}" if _FORMULA.match(text) else text


def html_text(text: str) -> str:
    """Returns a text for HTML: no elements.

    >>> html_text("<b>")
    '&lt;b&gt;'
    """
    return html.escape(terminal_text(text))
