"""Section of a report about commands, environments and skipped run directories."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath

from ltbench.report.page.content import Column, Listing, Properties, Section, SectionBlock, Table
from ltbench.storage.environment_schema import Environment
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import SkippedRun

_MAX_UNFOLDED_COMMANDS = 8


def provenance_section(runs: Sequence[RunResult], skipped: Sequence[SkippedRun]) -> Section:
    """Returns the section of the runs' commands, environments and tags, and of skipped runs."""
    commands = list(dict.fromkeys(map(_command_line, runs)))
    blocks: list[SectionBlock] = [
        Listing("Commands", "\n".join(commands), folded=len(commands) > _MAX_UNFOLDED_COMMANDS),
        *environment_blocks([run.environment for run in runs]),
    ]
    tagged = [(str(run.path), _tags_text(run)) for run in runs if run.tags or run.tags_fault]
    if tagged:
        columns = [Column("run directory"), Column("tags")]
        blocks.append(Table("tags", "Tags of runs.", columns, tagged))
    if skipped:
        rows = [(str(item.path), item.reason) for item in skipped]
        columns = [Column("run directory"), Column("reason")]
        blocks.append(Table("skipped", "Run directories that were skipped.", columns, rows))
    return Section("provenance", "Commands and environment", blocks=blocks)


def _tags_text(run: RunResult) -> str:
    return run.tags_fault or ", ".join(f"{name}={value}" for name, value in run.tags.items())


def _command_line(run: RunResult) -> str:
    """Returns the command of a run without the folder of the program, which no reader has."""
    program, *arguments = run.environment.command or [""]
    return shlex.join([PurePath(program).name, *arguments])


def environment_blocks(environments: Sequence[Environment]) -> list[Properties]:
    """Returns what all environments share, and then what is special about each different one."""
    counts: dict[tuple[tuple[str, str], ...], int] = {}
    for environment in environments:
        items = tuple(_environment_items(environment))
        counts[items] = counts.get(items, 0) + 1
    shared = [item for item in next(iter(counts), ()) if all(item in other for other in counts)]
    blocks = [Properties(f"Environment of {_runs(len(environments))}", shared)]
    if len(counts) > 1:
        blocks += [
            Properties(f"In {_runs(count)}", [item for item in items if item not in shared])
            for items, count in counts.items()
        ]
    return [block for block in blocks if block.items]


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"


def _environment_items(environment: Environment) -> list[tuple[str, str]]:
    """Returns the properties of an environment except the command."""
    items = []
    for key, value in environment.model_dump(exclude={"command"}).items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {version}" for name, version in value.items())
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        items.append((key.replace("_", " "), "" if value is None else str(value)))
    return [(key, value) for key, value in items if value]
