"""`ltbench data list`: data sets and their states."""

from __future__ import annotations

from dataclasses import asdict

from ltbench.cli.options import DataRoot, Json
from ltbench.config.defaults import DEFAULT_DATA_ROOT


def list_datasets(data_root: DataRoot = DEFAULT_DATA_ROOT, json: Json = False) -> None:
    """List data sets with their states: ready, missing, or in need of options.

    Example: `ltbench data list --data-root /data`
    """
    from ltbench.cli.data.status import statuses
    from ltbench.registry.load import load_plugins

    found = list(statuses(load_plugins(), data_root))
    if json:
        from ltbench.cli.output import print_json

        print_json({"datasets": [asdict(status) for status in found]})
        return

    from rich.markup import escape

    from ltbench.io.console import console, print_paragraph
    from ltbench.io.fitted_table import FittedTable

    colors = {"ready": "green", "options": "cyan", "missing": "yellow", "failed": "red"}
    table = FittedTable("data set", "state", "summary")
    for status in found:
        table.add_row(
            f"[bold]{escape(status.name)}[/]",
            f"[{colors[status.state]}]{status.state}[/]",
            escape(status.summary),
        )
    out = console()
    out.print(table)
    out.print(
        "\n[dim]missing: `ltbench data prepare NAME` prepares it, or prints what to download\n"
        "options: `ltbench data new FOLDER` makes one of your images; see `ltbench show dataset "
        "NAME`[/]"
    )
    for status in found:
        if status.state == "failed":
            print_paragraph(out, f"\n[bold]{escape(status.name)}[/]: {escape(status.message)}")
            print_paragraph(out, f"[dim]{escape(status.hint)}[/]")
