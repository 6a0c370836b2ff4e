"""`ltbench grid list`: grids of plugins."""

from __future__ import annotations

from ltbench.cli.options import Json


def list_grids(json: Json = False) -> None:
    """List the grids of ltbench and of plugins, which are planned and run by name.

    --json adds the path of each file.

    Example: `ltbench grid list`
    """
    from ltbench.grid.named_grids import grid_summary
    from ltbench.registry.load import load_plugins

    grids = sorted(load_plugins().grids.items())
    if json:
        from ltbench.cli.output import print_json

        described = [
            {
                "name": name,
                "summary": grid_summary(grid.path),
                "plugin": grid.plugin.name,
                "path": str(grid.path),
            }
            for name, grid in grids
        ]
        print_json({"grids": described})
        return

    from rich.markup import escape

    from ltbench.io.console import console
    from ltbench.io.fitted_table import FittedTable

    table = FittedTable("grid", "summary", "plugin")
    for name, grid in grids:
        table.add_row(
            f"[bold]{escape(name)}[/]", escape(grid_summary(grid.path)), escape(grid.plugin.name)
        )
    out = console()
    out.print(table if grids else "no plugin provides a grid")
