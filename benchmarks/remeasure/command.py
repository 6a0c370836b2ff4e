"""The command `ltbench` of this checkout, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CONDITIONS = {"COLUMNS": "130", "CUDA_VISIBLE_DEVICES": ""}
"""Width of the terminal; the numbers of the pages are those of a CPU."""


def ltbench(*arguments: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Returns the standard output of a command, without spaces at the ends of lines.

    Args:
        arguments: Arguments of `ltbench`.
        folder: Working directory.
        environment: Variables besides those of this process.

    Raises:
        subprocess.CalledProcessError: The command failed; its errors are on standard error.
    """
    done = subprocess.run(
        [sys.executable, "-m", "ltbench", *arguments],
        cwd=folder,
        env={**os.environ, **_CONDITIONS, **(environment or {})},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
