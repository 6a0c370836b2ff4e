"""Accuracies of the demo on the device against the CPU, and runs that must be the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from benchmarks.throughput.measured.commands import run_once
from ltbench.storage.run_directory import RunDirectory

Settings = dict[str, str]


def run(what: str, settings: Settings, device: str, seeds: int = 1) -> dict[str, Any]:
    """Returns the record of a comparison.

    Args:
        what: "cpu": accuracies on the device and on the CPU; "again": the same run twice;
            "group": one process against the group of one process; "groups": against all GPUs.
        settings: Settings of the runs.
        device: Device of the runs.
        seeds: Number of seeds of the first comparison.
    """
    with tempfile.TemporaryDirectory() as folder:
        return _COMPARISONS[what](settings, device, Path(folder), seeds)


def _against_cpu(settings: Settings, device: str, folder: Path, seeds: int) -> dict[str, Any]:
    found: dict[str, list[float]] = {}
    for place in ("cpu", device):
        for seed in range(seeds):
            out = ("--device", place, "--out", str(folder / place))
            result = run_once({**settings, "seed": str(seed)}, *out)
            found.setdefault(place, []).append(result["metrics"]["accuracy"])
    gaps = [abs(one - other) for one, other in zip(found["cpu"], found[device], strict=True)]
    return {"accuracies": found, "largest_gap": max(gaps)}


def _again(settings: Settings, device: str, folder: Path, seeds: int) -> dict[str, Any]:
    return _compared(settings, ("--device", device), ("--device", device), folder)


def _group(settings: Settings, device: str, folder: Path, seeds: int) -> dict[str, Any]:
    count = "--gpus" if device == "cuda" else "--ranks"
    return _compared(settings, ("--device", device), (count, "1"), folder)


def _groups(settings: Settings, device: str, folder: Path, seeds: int) -> dict[str, Any]:
    if device != "cuda":
        return _compared(settings, ("--device", device), ("--ranks", "2"), folder)
    count = torch.cuda.device_count()
    if count < 2:
        return {"skipped": f"{count} GPU"}
    return _compared(settings, ("--device", device), ("--gpus", str(count)), folder)


def _compared(
    settings: Settings, one: tuple[str, ...], other: tuple[str, ...], folder: Path
) -> dict[str, Any]:
    """Returns the differences of the learned weights and the accuracies of two runs."""
    results = [
        run_once(settings, *options, "--cache", "0", "--out", str(folder / str(number)))
        for number, options in enumerate((one, other))
    ]
    weights = [
        load_file(RunDirectory(Path(result["directory"])).learned, "cpu") for result in results
    ]
    gaps = [float((weights[0][name] - weights[1][name]).abs().max()) for name in weights[0]]
    accuracies = [result["metrics"]["accuracy"] for result in results]
    return {
        "commands": [" ".join(one), " ".join(other)],
        "same_bits": all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0]),
        "largest_weight_gap": max(gaps),
        "accuracies": accuracies,
        "largest_gap": abs(accuracies[0] - accuracies[1]),
    }


_COMPARISONS = {"cpu": _against_cpu, "again": _again, "group": _group, "groups": _groups}
