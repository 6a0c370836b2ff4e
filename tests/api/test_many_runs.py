"""Ten thousand stored runs become a data frame in less than ten seconds."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import ltbench
from ltbench.registry.registry import Registry
from ltbench.storage.run_directory import RunDirectory
from tests import runs

RUNS, SEEDS = 10_000, 250
MAX_SECONDS = 10.0


def store_many(registry: Registry, out: Path) -> None:
    """Writes the results of 40 cells, which were run once each, with other seeds."""
    for number in range(RUNS // SEEDS):
        settings = {"train__epochs": 1 + number % 20, "method__dim": 4 + number // 20}
        spec = runs.spec_of(registry, method="lift_plus", **settings)
        stored = json.loads((runs.store(out, spec) / "result.json").read_text())
        for seed in range(1, SEEDS):
            other = spec.with_seed(seed)
            folder = RunDirectory.of(out, other).path
            folder.mkdir()
            run = {**stored["run"], "seed": seed}
            content = {**stored, "hash": other.hash, "run": run, "directory": str(folder)}
            (folder / "result.json").write_text(json.dumps(content))


@pytest.mark.full  # 10,000 files
def test_a_frame_of_many_runs(registry: Registry, tmp_path: Path) -> None:
    store_many(registry, tmp_path / "runs")
    start = time.process_time()
    results = ltbench.load_results(tmp_path / "runs")
    frame = results.to_frame()
    assert time.process_time() - start < MAX_SECONDS
    assert len(frame) == frame["hash"].nunique() == RUNS
    assert frame.memory_usage(deep=True).sum() < 10_000_000
    start = time.process_time()
    assert len(results.per_class()) == RUNS * 6
    assert len(results.filter({"train.epochs": 3, "method.dim": 4})) == SEEDS
    assert time.process_time() - start < MAX_SECONDS
