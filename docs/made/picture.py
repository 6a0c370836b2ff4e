"""Picture of a leaderboard in a terminal, drawn by rich from the committed text."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from ltbench.registry.registry import Registry

BOARD = Path(__file__).parents[2] / "benchmarks/results/digits/methods/leaderboard.txt"
WIDTH_COLUMNS = 120


def leaderboard_svg(registry: Registry) -> str:
    """Returns the picture of `ltbench leaderboard` on the committed runs of the digits."""
    console = Console(record=True, width=WIDTH_COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "green"), "ltbench leaderboard runs"))
    title, header, *rest = BOARD.read_text(encoding="utf-8").strip().splitlines()
    console.print(Text(title, style="bold"))
    console.print(Text(header.rstrip(), style="bold cyan"))
    for line in rest:
        is_row = re.match(r" *\d+  ", line)
        console.print(Text(line.rstrip(), style="" if is_row else "grey66"))
    drawn = console.export_svg(title="ltbench", theme=MONOKAI, unique_id="leaderboard")
    # The fonts that rich links to are on another server: a picture loads nothing.
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
