"""`ltbench data list`: which data sets there are, and which are in place."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from ltbench.cli.options import DataRoot, Json


def list_datasets(data_root: DataRoot = Path("data"), json: Json = False) -> None:
    """List the data sets, and what the ones that are not in place need.

    Example: `ltbench data list --data-root /data`
    """
    from ltbench.cli.data.status import statuses
    from ltbench.plugins import load_plugins

    found = list(statuses(load_plugins(), data_root))
    if json:
        from ltbench.cli.output import print_json

        print_json({"datasets": [asdict(status) for status in found]})
        return

    from rich.markup import escape

    from ltbench.cli.output import console, plain_table

    colors = {"ready": "green", "options": "cyan", "missing": "yellow", "failed": "red"}
    table = plain_table("data set", "state", "summary")
    for status in found:
        table.add_row(
            f"[bold]{status.name}[/]",
            f"[{colors[status.state]}]{status.state}[/]",
            escape(status.summary),
        )
    out = console()
    out.print(table)
    for status in found:
        if status.state != "ready":
            message = status.message.removeprefix(f"{status.name}: ")
            out.print(f"\n[bold]{status.name}[/]: {escape(message)}", soft_wrap=True)
            out.print(f"[dim]{escape(status.hint)}[/]", soft_wrap=True)
