"""CPU seconds of runs whose frozen blocks are kept, and of heads that are trained together.

    python -m benchmarks.frozen blocks                # adapters in the last blocks of clip_tiny
    python -m benchmarks.frozen blocks --large        # the last two blocks of ViT-B/16, few images
    python -m benchmarks.frozen grid                  # a grid of heads: where its runs spend time
    python -m benchmarks.frozen heads                 # steps of heads, one by one and batched

Writes benchmarks/results/frozen/PART.json. Seconds of CPU on one thread, which other processes
change less than those of a clock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.frozen import heads, runs

RESULTS = Path(__file__).parent.parent / "results" / "frozen"

CLIP_TINY = {"method": "lora", "augmentation": "none", "precision": "fp32", "train.epochs": 10}
VIT_B = {
    "method": "lora",
    "augmentation": "none",
    "precision": "bf16",
    "backbone": "open_clip",
    "backbone.model": "ViT-B-16",
    "backbone.tag": None,
    "init": "random",
    "limit": 16,
    "train.epochs": 4,
    "train.batch_size": 8,
}


def blocks(large: bool) -> list[dict[str, Any]]:
    """Returns the seconds of runs without a cache, with an empty one, and with a filled one."""
    settings, rounds = (VIT_B, 1) if large else (CLIP_TINY, 2)
    measured = []
    for layers in (2,) if large else (1, 2, 4):
        with tempfile.TemporaryDirectory() as folder:
            found = [
                runs.cached_and_not({**settings, "method.layers": layers}, Path(folder) / str(one))
                for one in range(rounds)
            ]
        for cache in found[0]:
            medians = _medians([one[cache] for one in found])
            measured.append({"layers": layers, "cache": cache, **medians})
            print(measured[-1])
    return measured


def grid(large: bool) -> list[dict[str, Any]]:
    """Returns the median seconds of the runs of grids after their first, and of the parts."""
    measured = []
    for method, option, values in (
        ("classifier_only", "train.lr", (0.01, 0.02, 0.03, 0.05)),
        ("linear_probe", "refinement.c", (0.1, 0.316, 1.0, 3.0)),
    ):
        cells = [
            {"method": method, option: value, "seed": seed, "augmentation": "none"}
            for seed in (0, 1, 2)
            for value in values
        ]
        with tempfile.TemporaryDirectory() as folder:
            first, *later = [
                runs.spent({**cell, "precision": "fp32"}, Path(folder)) for cell in cells
            ]
        measured.append({"method": method, "first": first, "later": _medians(later)})
        print(measured[-1])
    return measured


def _medians(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


PARTS: dict[str, Callable[[bool], list[dict[str, Any]]]] = {
    "blocks": blocks,
    "grid": grid,
    "heads": heads.measured,
}


def main() -> None:
    """Measures a part and writes its figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--large", action="store_true", help="ViT-B/16 instead of clip_tiny")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = PARTS[options.part](options.large)
    machine = {
        "torch": torch.__version__,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }
    path = RESULTS / f"{options.part}{'-large' * options.large}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "figures": figures}, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
