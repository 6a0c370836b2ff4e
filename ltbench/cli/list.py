"""`ltbench list`: components by kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ltbench.cli.completion import complete_kind
from ltbench.cli.options import Json, read_kinds

if TYPE_CHECKING:
    from rich.console import Console

    from ltbench.registry.component import Component


def list_components(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="Kind: dataset, backbone, method, ... Default: all kinds.",
            autocompletion=complete_kind,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List components by kind, a line each; with KIND, their whole summaries and references.

    `ltbench show KIND NAME` shows a component with its options. --json adds the plugins.

    Example: `ltbench list`

    Example: `ltbench list methods`
    """
    from ltbench.registry.load import load_plugins

    kinds = read_kinds(kind)
    registry = load_plugins()
    rows = [(name, component) for name in kinds for component in registry.components[name].values()]
    if json:
        from ltbench.cli.output import print_json

        print_json(
            {
                "components": [
                    {
                        "kind": name,
                        "name": component.spec.name,
                        "summary": component.spec.summary,
                        "reference": component.spec.reference,
                        "default": component.spec.default,
                        "plugin": str(component.plugin),
                    }
                    for name, component in rows
                ],
                "failures": [
                    {"plugin": str(failure.plugin), "error": failure.error}
                    for failure in registry.failures
                ],
            }
        )
        return

    from rich.markup import escape

    from ltbench.io.console import console, print_paragraph

    out = console()
    for name in kinds:
        found = list(registry.components[name].values())
        if kind is None and found:
            out.print(f"\n[bold]{_counted(name, len(found))}[/]")
            _print_lines(out, found)
        elif found:
            _print_table(out, found)
    if rows:
        if kind is None:
            counts = (_counted(name, len(registry.components[name])) for name in kinds)
            print_paragraph(out, f"\n{len(rows)} components: {', '.join(counts)}")
        out.print("\n[dim]* default; `ltbench show KIND NAME` shows the options[/]")
        if kind is None:
            out.print("[dim]`ltbench list KIND` shows whole summaries, and references[/]")
    else:
        out.print("no components: no plugin is loaded")
    for failure in registry.failures:
        message = f"plugin {failure.plugin} failed to load: {failure.error}"
        print_paragraph(out, f"[yellow]{escape(message)}[/]")


def _counted(kind: str, count: int) -> str:
    from ltbench.specs import KINDS

    return f"{count} {kind if count == 1 else KINDS[kind].plural}"


def _print_lines(out: Console, components: Sequence[Component]) -> None:
    """Prints the names and the summaries of components, cut to a line each."""
    from rich.markup import escape

    from ltbench.io.line_breaks import first_line

    width = max(len(_marked(component)) for component in components)
    for component in components:
        name = _marked(component)
        summary = first_line(component.spec.summary, out.width - width - 4)
        out.print(f"  {escape(name)}{' ' * (width - len(name))}  [dim]{escape(summary)}[/]")


def _print_table(out: Console, components: Sequence[Component]) -> None:
    """Prints the names, summaries and references of components."""
    from rich.markup import escape

    from ltbench.io.fitted_table import FittedTable

    table = FittedTable("name", "summary")
    for component in components:
        spec = component.spec
        reference = f"\n[dim]{escape(spec.reference)}[/]" if spec.reference else ""
        table.add_row(
            f"[bold]{escape(_marked(component))}[/]", f"{escape(spec.summary)}{reference}"
        )
    out.print(table)


def _marked(component: Component) -> str:
    """Returns the name of a component, with a star for the default of its kind."""
    return f"{component.spec.name} *" if component.spec.default else component.spec.name
