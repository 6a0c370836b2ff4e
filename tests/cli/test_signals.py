"""Signals to a run with loader workers, at points where an exception from a handler is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import trees

RUN = (
    *("run", "--dataset", "imagenet_lt", "--set", "dataset.lists=own", "--method", "full"),
    *("--epochs", "1", "--workers", "2", "--cache", "0", "--json"),
)
IN_A_FORK_HOOK = """
import os, signal
from ltbench.cli import main
from ltbench.io import interrupts
def hook():
    if interrupts._state.deferrals:
        os.kill(os.getpid(), signal.SIG)
os.register_at_fork(after_in_parent=hook)
main()
"""


def run(folder: Path, *python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *python, *RUN], cwd=folder, capture_output=True, text=True, timeout=300
    )


@pytest.mark.full
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_in_a_fork_hook_interrupts_a_run_that_is_then_resumed(
    tmp_path: Path, name: str
) -> None:
    trees.imagenet_lt(tmp_path / "data")
    stopped = run(tmp_path, "-c", IN_A_FORK_HOOK.replace("SIG)", f"{name})"))
    assert stopped.returncode == 130, stopped.stderr
    assert "error: interrupted" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    resumed = run(tmp_path, "-m", "ltbench")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["training"]["epochs"] == 1
