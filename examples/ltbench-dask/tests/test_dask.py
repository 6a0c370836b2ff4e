from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from distributed import LocalCluster

import ltbench
from ltbench import ExecutorContext
from ltbench.errors import RunError
from ltbench.jobs import Ended, Job
from ltbench_dask import Config, Dask

GRID = """
[defaults]
method = "classifier_only"
"dataset.largest" = 10
"dataset.ratio" = 4
inference = "center"
train.epochs = 1
seed = [0, 1, 2]
"""
CONTEXT = ExecutorContext(jobs=None, device="cpu")


def ends(executor: Dask, count: int) -> list[Ended]:
    found: list[Ended] = []
    until = time.monotonic() + 120
    while len(found) < count and time.monotonic() < until:
        found += executor.wait(0.5)
    return found


def test_a_cluster_runs_jobs_and_outlives_the_executor() -> None:
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        for _ in range(2):
            executor = Dask(Config(address=cluster.scheduler_address), CONTEXT)
            assert executor.slots == 2
            executor.start(Job("a", (sys.executable, "-c", "raise SystemExit(3)")))
            executor.start(Job("b", (sys.executable, "-c", "print('x' * 100_000)")))
            found = {one.job: one for one in ends(executor, 2)}
            assert (found["a"].code, found["b"].code) == (3, 0)
            assert found["b"].reason == f"exit code 0: {'x' * 399}"
            executor.stop()


def test_a_worker_that_dies_loses_no_job(tmp_path: Path) -> None:
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        executor = Dask(Config(address=cluster.scheduler_address), CONTEXT)
        first = tmp_path / "first"
        code = (
            f"import os, pathlib, sys; path = pathlib.Path({str(first)!r}); "
            "(path.touch(), os.kill(os.getppid(), 9), sys.stdin.read()) if not path.exists() else 0"
        )
        executor.start(Job("a", (sys.executable, "-c", code)))
        (ended,) = ends(executor, 1)
        assert ended.code == 0
        executor.stop()


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    with pytest.raises(RunError, match="no Dask scheduler answers"):
        Dask(Config(address="127.0.0.1:9"), CONTEXT)


def test_a_grid_is_run(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text(GRID)
    done = ltbench.run_grid(
        tmp_path / "grid.toml", out=tmp_path / "runs", device="cpu", executor="dask", jobs=2
    )
    assert len(done) == 3
    assert len(list((tmp_path / "runs").rglob("result.json"))) == 3
