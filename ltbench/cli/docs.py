"""`ltbench docs`: the documentation in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ltbench.cli.completion import complete_topic
from ltbench.cli.options import Json

if TYPE_CHECKING:
    from ltbench.errors import UnknownNameError
    from ltbench.manual.pages import ManualPage

_WIDTH_COLUMNS = 100
"""Widest lines of a page."""


def docs(
    topic: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]",
            help="Page, PAGE#SECTION, or a word of the glossary. Without it all pages are listed.",
            autocompletion=complete_topic,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show a page of the documentation, or the explanation of a word.

    The pages are part of the package: no network is needed. On a terminal long pages are shown with
    `$PAGER`.

    Example: `ltbench docs statistics`

    Example: `ltbench docs statistics#equivalence`

    Example: `ltbench docs TOST`
    """
    if not topic:
        _list(json)
        return
    from ltbench.manual.glossary import find_term
    from ltbench.manual.pages import find_page, pages

    name, _, anchor = " ".join(topic).partition("#")
    known = pages().get(name)
    term = None if known or anchor else find_term(name)
    if term:
        _explain(term, json)
        return
    page = known or find_page(name)
    if page is None:
        raise _unknown(name, anchor)
    _show(page, page.section(anchor) if anchor else page.text, json)


def _list(json: bool) -> None:
    """Prints all topics."""
    from ltbench.manual.glossary import GLOSSARY
    from ltbench.manual.pages import pages

    found = pages()
    if json:
        from ltbench.cli.output import print_json

        topics = [{"topic": page.topic, "title": page.title} for page in found.values()]
        print_json({"topics": topics, "words": dict(GLOSSARY)})
        return
    from ltbench.io.console import console
    from ltbench.io.fitted_table import FittedTable

    table = FittedTable("topic", "page")
    for page in found.values():
        table.add_row(page.topic, page.title)
    out = console()
    out.print(table)
    out.print(
        "\n[bold]ltbench docs TOPIC[/] shows a page, [bold]ltbench docs WORD[/] explains one of"
        f" {len(GLOSSARY)} words, such as cell, few-shot or TOST ([bold]ltbench docs glossary[/])."
    )


def _explain(term: str, json: bool) -> None:
    """Prints the explanation of a word."""
    from ltbench.manual.glossary import ENTRIES

    entry = ENTRIES[term]
    if json:
        from ltbench.cli.output import print_json

        print_json({"word": term, "text": entry.text, "topic": entry.page})
        return
    from rich.markup import escape

    from ltbench.io.console import console

    out = console()
    out.print(f"[bold]{escape(term)}[/]: {escape(entry.text)}")
    out.print(f"More: [bold]ltbench docs {entry.page}[/]")


def _show(page: ManualPage, text: str, json: bool) -> None:
    """Prints a page or a section, with a pager on a terminal."""
    if json:
        from ltbench.cli.output import print_json

        print_json({"topic": page.topic, "title": page.title, "markdown": text})
        return
    from ltbench.cli.markdown_output import print_markdown
    from ltbench.io.console import console
    from ltbench.io.pager import show_paged
    from ltbench.manual.plain import for_terminal

    out = console()
    shown, width = for_terminal(page, text), min(out.width, _WIDTH_COLUMNS)
    if not out.is_terminal:
        print_markdown(out, shown, width)
        return
    with out.capture() as captured:
        print_markdown(out, shown, width)
    show_paged(captured.get())


def _unknown(name: str, anchor: str) -> UnknownNameError:
    """Returns the error for a name that is neither a page nor a word, or a word with a section."""
    from ltbench.errors import UnknownNameError, leading, quoted, suggestion
    from ltbench.manual.glossary import ENTRIES
    from ltbench.manual.pages import pages, topics_with

    words = [word for term, entry in ENTRIES.items() for word in (term, *entry.aliases)]
    hint = suggestion(name, [*pages(), *words])
    near = [topic for topic in pages() if name.strip() and name.strip().lower() in topic]
    if near and not hint.startswith("did you mean"):
        hint = f"did you mean {' or '.join(map(quoted, near[:3]))}?"
    if not hint.startswith("did you mean"):
        topics = leading(topics_with(name), 60) if name.strip() else ()
        found = f"it occurs in the pages {', '.join(topics)}; " if topics else ""
        hint = f"{found}`ltbench docs` lists all pages"
    asked = f"{name}#{anchor}" if anchor else name
    return UnknownNameError(f"unknown topic or word {quoted(asked)}", hint=hint)
