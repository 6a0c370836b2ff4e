"""Pages as Markdown for a terminal: links become commands, figures their descriptions."""

from __future__ import annotations

import posixpath
import re

from ltbench.manual.pages import ManualPage

_FENCED = re.compile(r"(^ *```.*?^ *```[^\n]*\n?)", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_TAG = re.compile(r"</?(?:div|span|p|br|a|strong|small)\b[^>\n]*>")
_ATTRIBUTES = re.compile(r"\{ *[.:#][^}\n]*\}")
_ICON = re.compile(r":(?:material|octicons|simple|fontawesome)-[\w-]+: *")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)\s]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]*)(#[^)\s]*)?\)")


def for_terminal(page: ManualPage, text: str) -> str:
    """Returns text of a page as Markdown that a terminal can show.

    Args:
        page: The page, to which its links are relative.
        text: Its text, or that of a section.
    """
    parts = _FENCED.split(text)
    parts[::2] = [_prose(page, part) for part in parts[::2]]
    return "".join(parts).strip() + "\n"


def _prose(page: ManualPage, text: str) -> str:
    for pattern in (_COMMENT, _TAG, _ATTRIBUTES, _ICON):
        text = pattern.sub("", text)
    text = _IMAGE.sub(lambda found: f"*Figure: {found[1]}*", text)
    return _LINK.sub(lambda found: _link(page, found), text)


def _link(page: ManualPage, found: re.Match[str]) -> str:
    shown, target, anchor = found[1], found[2], found[3] or ""
    if not target:
        return shown
    if re.match(r"\w+:", target):
        return found[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page.source), target))
    if not path.endswith(".md") or path.startswith("../"):
        return shown
    command = f"`ltbench docs {path.removesuffix('.md').removesuffix('/index')}{anchor}`"
    return command if shown == target else f"{shown} ({command})"
