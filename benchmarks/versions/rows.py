"""Work of both versions: commands, and measurements of `benchmarks.throughput`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.throughput.scale import Scale
from benchmarks.throughput.settings import JPEGS

_GRID = """\
[defaults]
augmentation = "none"
seed = [0, 1, 2]

[[include]]
method = "classifier_only"
"train.lr" = [0.005, 0.01, 0.02, 0.05]

[[include]]
method = "ncm"

[[include]]
method = "linear_probe"
refinement = "linear_probe"
"refinement.c" = [0.1, 1.0]
"""
_LAST_BLOCK = ("--method", "lora", "--set", "method.layers=1", "--set", "augmentation=none")


@dataclass(frozen=True)
class Row:
    """Work that is measured in both versions.

    Args:
        arguments: Arguments of Python; "{out}" is a folder of the version, "{fresh}" a new one each
            time.
        figure: Seconds in the record that the process prints; empty: its processor seconds.
        warm: Whether an unmeasured execution comes first, which fills caches.
    """

    arguments: tuple[str, ...]
    figure: str = ""
    warm: bool = False


def rows(scale: Scale, folder: Path) -> dict[str, Row]:
    """Returns the rows by title.

    Args:
        scale: Sizes of the measurements.
        folder: Folder for files that both versions read.
    """
    grid = folder / "heads.toml"
    grid.write_text(_GRID, encoding="utf-8")
    steps = {"batch_size": scale.batch_size, "warmup": scale.warmup, "steps": scale.steps}
    files = {"data": scale.tree, "device": scale.device}
    run = ("-m", "ltbench", "run", "--device", scale.device)
    out = ("--out", "{out}")
    again = ("--overwrite", "always")
    return {
        "`ltbench --help`": Row(("-m", "ltbench", "--help"), warm=True),
        "`ltbench run`, the result is stored": Row((*run, *out), warm=True),
        "`ltbench run`, executed": Row((*run, *out, *again), warm=True),
        "LoRA in the last block of `clip_tiny`, executed again": Row(
            (*run, *out, *again, *_LAST_BLOCK), warm=True
        ),
        "grid of 21 runs with frozen encoders": Row(
            ("-m", "ltbench", "grid", "run", str(grid), "--jobs", "1", "--out", "{fresh}")
        ),
        **{
            f"step of {method}, ViT-B/16 from JPEG files": Row(
                _measured("training", **files, **steps, settings={**JPEGS, "method": method}),
                "step_seconds",
            )
            for method in ("lift_plus", "lora")
        },
    }


def _measured(name: str, **arguments: Any) -> tuple[str, ...]:
    module = f"benchmarks.throughput.measured.{name}"
    return ("-m", "benchmarks.throughput.once", module, json.dumps(arguments))
