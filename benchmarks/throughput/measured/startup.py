"""Time from the start of a process to its first training step, and its lower bound."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.throughput.process import run_command

IMPORTS = "import torch, open_clip"


def run(what: str, device: str) -> dict[str, Any]:
    """Returns the seconds of the imports only ("imports"), or of a whole run ("ltbench")."""
    if what == "imports":
        seconds = run_command([sys.executable, "-c", IMPORTS]).seconds
        used = os.times()  # of this process, which has no other child
        return {"seconds": seconds, "cpu_seconds": used.children_user + used.children_system}
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder) / "first_step"
        module = "benchmarks.throughput.measured.first_step"
        command = [sys.executable, "-m", module, "run", "--json", "--device", device]
        done = run_command([*command, "--out", f"{folder}/runs"], {"FIRST_STEP": str(note)})
        result = json.loads(done.output)
        return {
            **json.loads(note.read_text()),
            "peak_memory_mb": result["peak_memory_mb"],
            "training_seconds": result["training"]["seconds"],
            "evaluation_seconds": result["evaluation"]["seconds"],
        }
