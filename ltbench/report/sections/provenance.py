"""Section of a report about commands, environments and skipped run directories."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ltbench.report.page.content import Column, Listing, Section, SectionBlock, Table
from ltbench.storage.result_schema import Environment, RunResult
from ltbench.storage.results import SkippedRun


def provenance_section(runs: Sequence[RunResult], skipped: Sequence[SkippedRun]) -> Section:
    """Returns the section of the runs' commands, environments and tags, and of skipped runs."""
    blocks: list[SectionBlock] = [
        Listing("Commands", "\n".join(dict.fromkeys(map(_command_line, runs))))
    ]
    environments: dict[str, int] = {}
    for run in runs:
        text = _environment_text(run.environment)
        environments[text] = environments.get(text, 0) + 1
    blocks += [
        Listing(f"Environment of {count} {'run' if count == 1 else 'runs'}", text)
        for text, count in environments.items()
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
    return shlex.join(run.environment.command)


def _environment_text(environment: Environment) -> str:
    """Returns the properties of an environment except the command, one per line."""
    lines = []
    for key, value in environment.model_dump(exclude={"command"}).items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {version}" for name, version in value.items())
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        lines.append(f"{key.replace('_', ' ')}: {value}")
    return "\n".join(lines)
