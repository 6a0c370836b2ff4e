"""The page of a report: one HTML file that needs nothing else to be read."""

from __future__ import annotations

import base64
import hashlib
import math
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ltbench.io.text import printable
from ltbench.report.page.content import CellValue, Column, Listing, Page, Picture, Table

ASSETS = resources.files("ltbench.report.page") / "assets"


def render_page(page: Page) -> str:
    """HTML of a page, with its style, script and figures inside.

    All text is escaped but the figures' SVG, which is trusted. A content security policy lets no
    script run but ours, and nothing be loaded.

    Args:
        page: What it shows. Names must be unique, as `ltbench.report.page.content` says.

    Returns:
        A whole document. It links to `figures/NAME.svg` and `figures/NAME.pdf` beside it.
    """
    script = (ASSETS / "page.js").read_text(encoding="utf-8")
    return (
        _jinja_environment()
        .get_template("page.html.jinja")
        .render(
            page=page,
            policy=content_security_policy(script),
            script=Markup(script),
            style=Markup((ASSETS / "style.css").read_text(encoding="utf-8")),
        )
    )


def content_security_policy(script: str) -> str:
    """The policy under which one inline script runs, and nothing is loaded.

    Args:
        script: Text of the script element, to the byte.

    Returns:
        Directives. Inline styles are allowed, because matplotlib's SVG is full of them.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def format_cell(value: CellValue, column: Column) -> str:
    """A cell's text.

    Args:
        value: A number is shown with the column's decimals, thousands set apart by commas.
        column: Of the cell.

    Returns:
        Empty where there is no value: None, NaN or "".
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str) or column.decimals is None:
        return str(value)
    text = f"{value:z,.{column.decimals}f}"  # z: no negative zero
    return text.replace("-", "\N{MINUS SIGN}")  # as wide as a digit


def _jinja_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ltbench.report.page", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    kinds = {"table": Table, "picture": Picture, "listing": Listing}
    environment.finalize = lambda value: printable(value) if type(value) is str else value
    environment.tests |= {
        name: lambda block, kind=kind: isinstance(block, kind) for name, kind in kinds.items()
    }
    environment.filters["format_cell"] = format_cell
    return environment
