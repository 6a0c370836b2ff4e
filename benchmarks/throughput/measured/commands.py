"""Runs of the command `ltbench` in processes of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.throughput.process import CompletedCommand, run_command


def ltbench(*arguments: str) -> CompletedCommand:
    """Runs the command to its end."""
    return run_command([sys.executable, "-c", "from ltbench.cli import main; main()", *arguments])


def run_once(settings: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """Returns the result of `ltbench run`.

    Args:
        settings: Settings by dotted key.
        arguments: Other options of the command.
    """
    given = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    found: dict[str, Any] = json.loads(ltbench("run", "--json", *given, *arguments).output)
    return found


def history(result: Mapping[str, Any]) -> list[dict[str, float]]:
    """Returns the history of a run, one row per epoch."""
    lines = (Path(result["directory"]) / "history.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]
