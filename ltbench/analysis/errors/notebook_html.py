"""HTML of an error analysis, which notebooks show."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from ltbench.analysis.errors.display_tables import ErrorTable
from ltbench.analysis.errors.mistake_pictures import MistakePicture
from ltbench.io.text import html_text


def notebook_html(
    title: str,
    sentences: Sequence[str],
    notes: Sequence[str],
    tables: Sequence[ErrorTable],
    pictures: Sequence[MistakePicture],
) -> str:
    """Returns findings, notes, tables and pictures as HTML.

    Args:
        title: Description of the runs.
        sentences: Findings.
        notes: Limits of the findings.
        tables: Tables, from `display_tables`.
        pictures: Pictures of mistakes.
    """
    found = "".join(f"<li>{html_text(text)}</li>" for text in sentences)
    limits = "".join(f"<p><small>{html_text(text)}</small></p>" for text in notes)
    shown = "".join(map(_table, tables))
    images = "".join(map(_picture, pictures))
    head = f"<p><b>{html_text(title)}</b></p>"
    return f"<div>{head}<ul>{found}</ul>{limits}{shown}<div>{images}</div></div>"


def _table(table: ErrorTable) -> str:
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
    caption, described = html_text(picture.caption), html_text(picture.description)
    source = f"data:image/jpeg;base64,{base64.b64encode(picture.data).decode()}"
    return (
        '<figure style="display:inline-block;width:132px;margin:4px;vertical-align:top">'
        f'<img src="{source}" alt="{described}" title="{described}">'
        f"<figcaption><small>{caption}</small></figcaption></figure>"
    )
