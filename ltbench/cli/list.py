"""`ltbench list`: components by kind."""

from __future__ import annotations

from typing import Annotated

import typer

from ltbench.cli.completion import complete_kind
from ltbench.cli.options import Json, read_kinds


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
    """List components with summary and reference; --json adds their plugins.

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

    from ltbench.cli.output import plain_table
    from ltbench.io.console import console

    out = console()
    table = plain_table("kind", "name", "summary", "reference")
    for name, component in rows:
        spec = component.spec
        star = " *" if spec.default else ""
        table.add_row(
            name, f"[bold]{spec.name}[/]{star}", escape(spec.summary), escape(spec.reference)
        )
    if rows:
        out.print(table)
        out.print("\n[dim]* default; `ltbench show KIND NAME` shows the options[/]")
    else:
        out.print("no components: no plugin is loaded")
    for failure in registry.failures:
        message = f"plugin {failure.plugin} failed to load: {failure.error}"
        out.print(f"[yellow]{escape(message)}[/]", soft_wrap=True)
