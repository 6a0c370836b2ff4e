"""HTML of an error analysis, which notebooks show."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from ltbench.analysis.errors.display_tables import DisplayTable, display_tables
from ltbench.io.text import html_text

if TYPE_CHECKING:
    from ltbench.analysis.errors.error_analysis import ErrorAnalysis
    from ltbench.analysis.errors.mistake_pictures import MistakePicture

MAX_ROWS = 10
"""Classes and confusions that a notebook shows; the data frames have all."""


def notebook_html(analysis: ErrorAnalysis) -> str:
    """Returns findings, tables and pictures as HTML.

    Args:
        analysis: Analysis of one or more seeds.
    """
    found = "".join(f"<li>{html_text(text)}</li>" for text in analysis.sentences)
    notes = "".join(f"<p><small>{html_text(text)}</small></p>" for text in analysis.notes)
    tables = "".join(map(_table, display_tables(analysis, MAX_ROWS)))
    pictures = "".join(map(_picture, analysis.pictures))
    title = f"<p><b>{html_text(analysis.title)}</b></p>"
    return f"<div>{title}<ul>{found}</ul>{notes}{tables}<div>{pictures}</div></div>"


def _table(table: DisplayTable) -> str:
    heads = "".join(
        f'<th title="{html_text(column.help)}">{html_text(column.title)}</th>'
        for column in table.columns
    )
    rows = "".join(
        f"<tr>{''.join(f'<td>{html_text(text)}</td>' for text in row)}</tr>"
        for row in table.texts()
    )
    return (
        f"<table><caption>{html_text(table.caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _picture(picture: MistakePicture) -> str:
    caption, name = html_text(picture.caption), html_text(picture.image)
    source = f"data:image/jpeg;base64,{base64.b64encode(picture.data).decode()}"
    return (
        '<figure style="display:inline-block;width:132px;margin:4px;vertical-align:top">'
        f'<img src="{source}" alt="{caption}" title="{name}">'
        f"<figcaption><small>{caption}</small></figcaption></figure>"
    )
