"""Figures as SVG for a page, and as SVG and PDF files. Equal figures give equal bytes."""

from __future__ import annotations

import io
import re

import matplotlib
from matplotlib.figure import Figure

from ltbench.io.text import html_text
from ltbench.report.figures.style import with_figure_style

_XML_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def to_svg(figure: Figure, name: str) -> str:
    """Returns an `<svg>` element for a page, scaled to the width of the page.

    Text stays text. Ids begin with the name, so that they are unique on a page. The style sheet is
    removed, because it would apply to the whole page.

    Args:
        figure: Figure drawn by this package.
        name: Name in snake_case, unique on the page.
    """
    drawn = _render_figure(figure, "svg", name).decode()
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\sid="|url\(#)', rf"\g<1>{name}-", body)
    body = re.sub(r'xlink:href="#', f'href="#{name}-', body)
    width, height = (72 * inches for inches in figure.get_size_inches())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="{name}-title" style="stroke-linejoin: round; stroke-linecap: butt">\n'
        f' <title id="{name}-title">{html_text(str(figure.get_label()))}</title>{body.rstrip()}\n'
    )


def figure_files(figure: Figure, name: str) -> dict[str, bytes]:
    """Returns the content of NAME.svg and NAME.pdf.

    Args:
        figure: Figure drawn by this package.
        name: Stem of the file names, in snake_case.
    """
    width, height = (72 * inches for inches in figure.get_size_inches())
    sized = to_svg(figure, name).replace(
        "<svg ", f'<svg width="{width:g}pt" height="{height:g}pt" ', 1
    )
    return {
        f"{name}.svg": (_XML_DECLARATION + sized).encode(),
        f"{name}.pdf": _render_figure(figure, "pdf", name),
    }


@with_figure_style
def _render_figure(figure: Figure, kind: str, name: str) -> bytes:
    """Renders a figure without dates and random ids."""
    buffer = io.BytesIO()
    dated = "Date" if kind == "svg" else "CreationDate"
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format=kind, metadata={dated: None})
    return buffer.getvalue()
