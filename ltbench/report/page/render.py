"""HTML of a report's page: one self-contained file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ltbench.io.text import terminal_text
from ltbench.report.page.compiled import COMPILED_TEMPLATES
from ltbench.report.page.content import (
    Beside,
    ImageSheet,
    Listing,
    Notes,
    Page,
    Picture,
    Properties,
    SectionBlock,
    SheetImage,
    Table,
)
from ltbench.report.page.table_html import (
    body_html,
    column_class,
    link_html,
    rest_json,
    written_rows,
)
from ltbench.report.page.terms import Terms

ASSETS = resources.files("ltbench.report.page") / "assets"
_FIRST_SCRIPT = "theme.js"  # before the content, which is drawn once in its colours
_LAST_SCRIPTS = ("tables.js", "tips.js", "copy.js")
_BEFORE_PERCENT = re.compile(r"(?<=\d) (?=%)")


def render_page(page: Page) -> str:
    """Returns the HTML document of a page, with style, script and figures inside.

    All text is escaped, except the SVG of the figures, which is trusted. A content security policy
    blocks all other scripts and all loading of resources.

    Args:
        page: Content of the page. Names must be unique, see `ltbench.report.page.content`.

    Returns:
        HTML document. It links to `figures/NAME.svg` and `figures/NAME.pdf` beside it.
    """
    first, last = _read_asset(_FIRST_SCRIPT), "".join(map(_read_asset, _LAST_SCRIPTS))
    terms = Terms()
    return (
        _jinja_environment(terms)
        .get_template("page.html.jinja")
        .render(
            page=page,
            terms=terms,
            policy=content_security_policy(first, last),
            first_script=Markup(first),
            last_script=Markup(last),
            style=Markup(_read_asset("style.css")),
        )
    )


def content_security_policy(*scripts: str) -> str:
    """Returns a policy that allows inline scripts with these texts and blocks all loading.

    Args:
        scripts: Exact texts of the script elements.

    Returns:
        Directives of the policy. Inline styles are allowed, because matplotlib's SVG uses them.
    """
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def group_pictures(blocks: Sequence[SectionBlock]) -> list[list[SectionBlock]]:
    """Returns blocks in groups: figures that follow each other are one, each other block is one."""
    groups: list[list[SectionBlock]] = []
    for block in blocks:
        if groups and isinstance(block, Picture) and isinstance(groups[-1][0], Picture):
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _read_asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _data_uri(image: SheetImage) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _with_units(text: str) -> Markup:
    """Returns a text or HTML in which no line break separates a number from its percent sign."""
    html = text if isinstance(text, Markup) else escape(terminal_text(text))
    return Markup(_BEFORE_PERCENT.sub("\N{NO-BREAK SPACE}", html))


def _jinja_environment(terms: Terms) -> Environment:
    environment = Environment(
        loader=PackageLoader("ltbench.report.page", "assets"),
        autoescape=True,
        bytecode_cache=COMPILED_TEMPLATES,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    kinds = {
        "table": Table,
        "picture": Picture,
        "listing": Listing,
        "properties": Properties,
        "notes": Notes,
        "sheet": ImageSheet,
        "beside": Beside,
    }
    environment.finalize = lambda value: terminal_text(value) if type(value) is str else value
    environment.tests |= {
        name: lambda block, kind=kind: isinstance(block, kind) for name, kind in kinds.items()
    }
    environment.filters |= {
        "body_html": body_html,
        "column_class": column_class,
        "data_uri": _data_uri,
        "grouped": group_pictures,
        "link": link_html,
        "name": terms.mark_name,
        "rest_json": rest_json,
        "thousands": "{:,}".format,
        "with_units": _with_units,
        "words": terms.mark_words,
        "written_rows": written_rows,
    }
    environment.globals["begin_section"] = terms.begin_section
    return environment
