"""Where the numbers of a report come from: commands, environments, folders that were skipped."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from ltbench.report.page.content import Block, Column, Listing, Section, Table
from ltbench.storage.results import Run, SkippedRun


def provenance_section(runs: Sequence[Run], skipped: Sequence[SkippedRun]) -> Section:
    """Returns the exact commands and environments of the runs, and what could not be read."""
    blocks: list[Block] = [Listing("Commands", "\n".join(dict.fromkeys(map(_command, runs))))]
    environments: dict[str, int] = {}
    for run in runs:
        text = _environment(run.result["environment"])
        environments[text] = environments.get(text, 0) + 1
    blocks += [
        Listing(f"Environment of {count} {'run' if count == 1 else 'runs'}", text)
        for text, count in environments.items()
    ]
    if skipped:
        rows = [(str(item.path), item.reason) for item in skipped]
        columns = [Column("run directory"), Column("reason")]
        blocks.append(Table("skipped", "Run directories that were skipped.", columns, rows))
    return Section("provenance", "Commands and environment", blocks=blocks)


def _command(run: Run) -> str:
    return shlex.join(run.result["environment"].get("command", ["unknown"]))


def _environment(about: dict[str, Any]) -> str:
    """What is known of an environment, but for the command: a line each."""
    lines = []
    for key, value in about.items():
        if key in ("command", "schema"):
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{name} {version}" for name, version in value.items())
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        lines.append(f"{key.replace('_', ' ')}: {value}")
    return "\n".join(lines)
