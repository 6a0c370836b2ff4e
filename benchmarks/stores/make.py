"""Writes a store of many runs that were never run, and the grid file that describes them.

Configurations are those of a large study: methods with several learning rates on several data sets
(`digits_lt`, drawn again for each `data_seed`), with 25 seeds each. Results are those of a data set
with 100 classes and 500 test images; accuracies are drawn at random.

    python -m benchmarks.stores.make FOLDER --runs 100000
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.config.runspec import RunSpec
from ltbench.grid.grid_file import read_grid
from ltbench.registry.load import load_plugins
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import Metrics, RunDescription
from ltbench.storage.run_directory import RunDirectory

SEEDS = 25
CLASSES, IMAGES_PER_CLASS = 100, 5
METHODS = ("lift_plus", "lora", "adaptformer", "bitfit", "classifier_only")
COMPARED_RATE = 0.001
RATES = 20
"""Learning rates of each method: with the methods 100 configurations on each data set."""
SKILLS = 40
"""Different results of the runs: a store repeats them with other settings."""
COUNTS = np.geomspace(500, 5, CLASSES).astype(np.int64)
SEED = 0  # of the drawn accuracies


@dataclass(frozen=True)
class Drawn:
    """Result of a run that was never run.

    Args:
        metrics: Its metrics, as `result.json` has them.
        predictions: Predictions that have these metrics.
    """

    metrics: dict[str, Any]
    predictions: Predictions


def grid_text(runs: int, seeds: int = SEEDS) -> str:
    """Returns the grid file of a number of runs: full data sets first, then a part of one."""
    cells = max(1, runs // seeds)
    each = len(METHODS) * RATES
    datasets, rest = divmod(cells, each)
    rates = [round(0.001 * (1 + place), 6) for place in range(RATES)]
    lines = ['name = "many"', "[defaults]", 'dataset = "digits_lt"', f"seed = {[*range(seeds)]}"]
    if datasets:
        lines += ["[[include]]", f"data_seed = {[*range(datasets)]}"]
        lines += [f"method = {json.dumps(METHODS)}", f"train.lr = {rates}"]
    if rest:
        methods = METHODS[: max(1, rest // RATES)]
        lines += ["[[include]]", f"data_seed = {datasets}", f"method = {json.dumps(methods)}"]
        lines += [f"train.lr = {rates[: rest // len(methods)]}"]
    return "\n".join(lines) + "\n"


def write_store(folder: Path, runs: int, *, predictions: bool, seeds: int = SEEDS) -> Path:
    """Writes a grid file and the run directories of all its runs, and returns the file.

    Args:
        folder: Folder that gets `grid.toml` and `runs`.
        runs: Number of runs, at least 4 cells.
        predictions: Whether all runs have predictions, instead of the cells that are compared.
        seeds: Number of seeds of a cell.
    """
    folder.mkdir(parents=True)
    file = folder / "grid.toml"
    file.write_text(grid_text(runs, seeds), encoding="utf-8")
    grid = read_grid(file, load_plugins(), folder / "data")
    drawn = list(_drawn())
    noise = np.random.default_rng(SEED)
    for cell in grid.cells:
        skill = noise.integers(SKILLS - 5)
        for run in cell.runs:
            spec = run.resolved.spec
            one = drawn[skill + int(noise.integers(5))]
            compared = spec.train.lr == COMPARED_RATE and spec.data_seed == 0
            run_directory = RunDirectory.of(folder / "runs", spec)
            _write_run(run_directory, spec, one, predictions=predictions or compared)
    return file


def _drawn() -> Iterator[Drawn]:
    """Yields results, the worst first."""
    random = np.random.default_rng(SEED)
    labels = np.repeat(np.arange(CLASSES), IMAGES_PER_CLASS)
    for skill in np.linspace(0.4, 0.9, SKILLS):
        chance = skill - 0.3 * labels / CLASSES
        right = random.random(len(labels)) < chance
        other = (labels + random.integers(1, CLASSES, len(labels))) % CLASSES
        classes = np.where(right, labels, other)[:, None]
        logits = random.random((len(labels), 1)).astype(np.float32)
        predictions = Predictions(
            np.arange(len(labels)), labels, classes, logits, logits[:, 0] + np.float32(0.5)
        )
        yield Drawn(Metrics.of(predictions, COUNTS).model_dump(), predictions)


def _write_run(run: RunDirectory, spec: RunSpec, drawn: Drawn, *, predictions: bool) -> None:
    run.path.mkdir(parents=True)
    described = RunDescription.of(spec).to_dict()
    random = np.random.default_rng([spec.seed, int(spec.hash, 16)])
    result = described | {
        "metrics": drawn.metrics,
        **_records(spec, random),
        "directory": str(run.path),
    }
    # As the engine writes them, but without a flush to the disk for each file.
    for name, content in (("spec.json", described), ("result.json", result)):
        (run.path / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if predictions:
        about = {"hash": spec.hash, "inference": spec.inference.name, "split": spec.split}
        drawn.predictions.write(run.predictions(spec.inference, spec.inference), about)


def _records(spec: RunSpec, random: np.random.Generator) -> dict[str, Any]:
    """Returns what a result has besides its metrics."""
    epochs, seconds = spec.train.epochs, random.uniform(20, 40, 2).tolist()
    names = [f"class {number:03}" for number in range(CLASSES)]
    counts = _listed(COUNTS)
    return {
        "classes": {"names": names, "train_images": counts, "trained_on": counts},
        "learned": {
            "total": 5132,
            "encoder": 3852,
            "head": 1280,
            "backbone": 1217024,
            "percent": 0.42168437105595286,
        },
        "training": {
            "epochs": epochs,
            "seconds": seconds[0],
            "images_per_second": 4820 / seconds[0],
            "skipped_images": 0,
        },
        "selection": {
            "rule": "last",
            "epoch": epochs - 1,
            "epochs": epochs,
            "criterion": None,
            "scores": [],
            "val_images": 0,
            "held_out": False,
            "seconds": 0.0,
            "skipped_images": 0,
        },
        "refinement": None,
        "evaluation": {
            "inference": spec.inference.name,
            "split": spec.split,
            "seconds": seconds[1],
            "images_per_second": 500 / seconds[1],
            "skipped_images": 0,
        },
        "environment": _ENVIRONMENT,
        "warnings": [],
        "peak_memory_mb": float(random.uniform(900, 1100)),
        "silenced_plugins": {},
    }


def _listed(values: NDArray[np.int64]) -> list[int]:
    listed: list[int] = values.tolist()
    return listed


_ENVIRONMENT = {
    "command": ["ltbench", "grid", "run", "grid.toml"],
    "python": "3.11.7",
    "platform": "Linux-6.1-x86_64-with-glibc2.36",
    "packages": {f"package-{number}": "1.2.3" for number in range(40)},
    "plugins": ["ltbench 0.1.0"],
    "weights": f"sha256:{0:064x}",
    "device": "cpu",
    "threads": 1,
    "precision": "fp32",
    "precision_reason": "0.038 GFLOP an image, bf16 from 1",
    "ranks": 1,
    "devices": ["cpu"],
    "backend": None,
}


def main() -> None:
    """Writes the store that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--predictions", action="store_true", help="of all runs")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    options = {"predictions": given.predictions, "seeds": given.seeds}
    print(write_store(given.folder, given.runs, **options))


if __name__ == "__main__":
    main()
