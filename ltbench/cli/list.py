"""`ltbench list`: what there is to choose from."""

from __future__ import annotations

from typing import Annotated

import typer

from ltbench.cli.options import Json
from ltbench.errors import ConfigError, suggestion


def list_components(
    kind: Annotated[
        str | None, typer.Argument(help="dataset, backbone, method, ...; all where not given.")
    ] = None,
    json: Json = False,
) -> None:
    """List components with summary and reference; `--json` adds the plugin.

    Example: `ltbench list methods`
    """
    from ltbench.plugins import load_plugins
    from ltbench.specs import SPECS

    kinds = [spec.kind for spec in SPECS.values() if kind in (None, spec.kind, spec.plural)]
    if not kinds:
        plurals = [spec.plural for spec in SPECS.values()]
        raise ConfigError(f"there is no kind '{kind}'", hint=suggestion(kind or "", plurals))
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

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("kind", "name", "summary", "reference"):
        table.add_column(column, overflow="fold")
    for name, component in rows:
        spec = component.spec
        star = " *" if spec.default else ""
        table.add_row(
            name, f"[bold]{spec.name}[/]{star}", escape(spec.summary), escape(spec.reference)
        )
    if rows:
        console.print(table)
        console.print("\n[dim]* taken where nobody chooses; `ltbench show KIND NAME` says more[/]")
    else:
        console.print("no components: no plugin is loaded")
    for failure in registry.failures:
        message = f"plugin {failure.plugin} failed to load: {failure.error}"
        console.print(f"[yellow]{escape(message)}[/]", soft_wrap=True)
