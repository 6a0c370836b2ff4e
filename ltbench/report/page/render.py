"""HTML of a report's page: one self-contained file."""

from __future__ import annotations

import base64
import hashlib
import math
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ltbench.io.text import terminal_text
from ltbench.report.page.content import CellValue, Column, Link, Listing, Page, Picture, Table

ASSETS = resources.files("ltbench.report.page") / "assets"


def render_page(page: Page) -> str:
    """Returns the HTML document of a page, with style, script and figures inside.

    All text is escaped, except the SVG of the figures, which is trusted. A content security policy
    blocks all other scripts and all loading of resources.

    Args:
        page: Content of the page. Names must be unique, see `ltbench.report.page.content`.

    Returns:
        HTML document. It links to `figures/NAME.svg` and `figures/NAME.pdf` beside it.
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
    """Returns a policy that allows one inline script and blocks all loading of resources.

    Args:
        script: Exact text of the script element.

    Returns:
        Directives of the policy. Inline styles are allowed, because matplotlib's SVG uses them.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def format_cell(value: CellValue, column: Column) -> str:
    """Returns the text of a table cell.

    Args:
        value: Value; numbers get the column's decimals and commas between thousands.
        column: Column of the cell.

    Returns:
        Text; empty for None, NaN and "".
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, Link):
        return value.text
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
    kinds = {"table": Table, "picture": Picture, "listing": Listing, "link": Link}
    environment.finalize = lambda value: terminal_text(value) if type(value) is str else value
    environment.tests |= {
        name: lambda block, kind=kind: isinstance(block, kind) for name, kind in kinds.items()
    }
    environment.filters["format_cell"] = format_cell
    return environment
