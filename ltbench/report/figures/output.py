"""Figures as SVG for a page, and as SVG and PDF files. Equal figures give equal bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import matplotlib
from matplotlib.figure import Figure

from ltbench.io.text import html_text
from ltbench.report.figures.canvas import HIT_PREFIX, Canvas
from ltbench.report.figures.style import CSS_VARIABLES, INK, with_figure_style

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_XML_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_NUMBERS = ("d", "x", "y", "transform")
_FONT_FAMILY = re.compile(r"font-family: [^;]*")


def draw_svg(figure: Figure, name: str) -> bytes:
    """Returns a figure as matplotlib writes it, for `to_svg` and `figure_files`.

    Args:
        figure: Figure drawn by this package.
        name: Name in snake_case.
    """
    return _render_figure(figure, "svg", name)


def to_svg(figure: Figure, name: str, *, kind: str = "", drawn: bytes | None = None) -> str:
    """Returns an `<svg>` element for a page, scaled to the width of the page.

    Text stays text, in the font of the page. Colours are variables of the page with the colours of
    the files as fallbacks, so that dark pages recolour the figure. A mark that has values is a
    group with the class `mark`, with the values in its `<title>` and its attribute `data-tip`; an
    invisible area with values has also the class `hit`. Ids begin with the name, so that they are
    unique on a page. The style sheet is removed, because it would apply to the whole page.

    Args:
        figure: Figure drawn by this package.
        name: Name in snake_case, unique on the page.
        kind: Class of the element, such as `wide` and `narrow` of two forms of a figure.
        drawn: The figure from `draw_svg`; it is drawn where None.
    """
    root = _parse_figure(figure, name, drawn)
    for element in root.iter():
        if style := element.get("style"):
            element.set("style", _page_style(style))
    return _serialise(figure, root, name, f'class="{kind}" ' if kind else "")


def figure_files(figure: Figure, name: str, drawn: bytes | None = None) -> dict[str, bytes]:
    """Returns the content of NAME.svg and NAME.pdf, with the colours of a light page.

    Args:
        figure: Figure drawn by this package.
        name: Stem of the file names, in snake_case.
        drawn: The figure from `draw_svg`; it is drawn where None.
    """
    pdf = _render_figure(figure, "pdf", name)
    return {f"{name}.svg": svg_file(figure, name, drawn), f"{name}.pdf": pdf}


def svg_file(figure: Figure, name: str, drawn: bytes | None = None) -> bytes:
    """Returns the content of an SVG file that needs no page.

    Args:
        figure: Figure drawn by this package.
        name: Prefix of its ids.
        drawn: The figure from `draw_svg`; it is drawn where None.
    """
    width, height = _size(figure)
    size = f'width="{width:g}pt" height="{height:g}pt" '
    svg = _serialise(figure, _parse_figure(figure, name, drawn), name, size)
    return (_XML_DECLARATION + svg).encode()


def _page_style(style: str) -> str:
    """Returns a style with colours as variables of the page, and with the font of the page."""
    style = re.sub(
        "#[0-9a-f]{6}",
        lambda found: (
            f"var({CSS_VARIABLES[found[0]]}, {found[0]})" if found[0] in CSS_VARIABLES else found[0]
        ),
        style,
    )
    return _FONT_FAMILY.sub("font-family: inherit", style)


def _parse_figure(figure: Figure, name: str, drawn: bytes | None) -> Element:
    """Returns the drawing as elements with unique ids and with values."""
    root = ElementTree.fromstring(draw_svg(figure, name) if drawn is None else drawn)
    tips = figure.tips if isinstance(figure, Canvas) else {}
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{_SVG}style", f"{_SVG}metadata") or _is_empty(child):
                parent.remove(child)
    for element in root.iter():
        if (own := element.get("id")) is not None:
            element.set("id", f"{name}-{own}")
            if own in tips:
                _add_tip(element, own, tips[own])
        if (target := element.attrib.pop(_XLINK, None)) is not None:
            element.set("href", f"#{name}-{target.removeprefix('#')}")
        for key in ("clip-path", "style"):
            if "url(#" in (value := element.get(key, "")):
                element.set(key, value.replace("url(#", f"url(#{name}-"))
        for key in _NUMBERS:
            if numbers := element.get(key):
                element.set(key, re.sub(r"(\.\d\d)\d+", r"\1", numbers))
    used = {target for element in root.iter() for target in _references(element)}
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
    return root


def _references(element: Element) -> Iterator[str]:
    """Yields the ids that an element refers to."""
    if target := element.get("href"):
        yield target.removeprefix("#")
    for key in ("clip-path", "style"):
        yield from re.findall(r"url\(#([^)]+)\)", element.get(key, ""))


def _is_empty(element: Element) -> bool:
    return element.tag in (f"{_SVG}defs", f"{_SVG}g") and not len(element)


def _add_tip(element: Element, own: str, text: str) -> None:
    """Adds values to a mark: for readers without a script, and for the script of a page."""
    is_hit = own.startswith(HIT_PREFIX)
    element.set("class", "mark hit" if is_hit else "mark")
    element.set("data-tip", text)
    title = ElementTree.Element(f"{_SVG}title")
    title.text = text
    element.insert(0, title)
    if is_hit:
        for path in element.iter(f"{_SVG}path"):
            path.set("style", f"fill: {INK}; fill-opacity: 0")


def _serialise(figure: Figure, root: Element, name: str, attributes: str) -> str:
    width, height = _size(figure)
    body = "\n".join(_inner_elements(root))
    return (
        f'<svg {attributes}xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'role="img" aria-labelledby="{name}-title" '
        'style="stroke-linejoin: round; stroke-linecap: butt">\n'
        f'<title id="{name}-title">{html_text(str(figure.get_label()))}</title>\n{body}\n</svg>\n'
    )


def _inner_elements(root: Element) -> Iterator[str]:
    """Yields the text of the elements in the root, without line breaks and namespaces."""
    for element in root.iter():
        if element.tag != f"{_SVG}text" and element.tag != f"{_SVG}title":
            element.text = None
        element.tail = None
        element.tag = element.tag.removeprefix(_SVG)
        if (drawn := element.get("d")) is not None:
            element.set("d", " ".join(drawn.split()))
    for child in root:
        yield ElementTree.tostring(child, encoding="unicode")


def _size(figure: Figure) -> tuple[float, float]:
    width, height = figure.get_size_inches()
    return 72 * float(width), 72 * float(height)


@with_figure_style
def _render_figure(figure: Figure, kind: str, name: str) -> bytes:
    """Renders a figure without dates and random ids."""
    buffer = io.BytesIO()
    dated = "Date" if kind == "svg" else "CreationDate"
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format=kind, metadata={dated: None})
    return buffer.getvalue()
