"""What the embedded default is claimed to show, over five seeds of subset and training."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow
SEEDS = range(5)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def metric(runs: Path, name: str, *arguments: str) -> np.ndarray:
    """Runs a method on every seed and returns one of its metrics."""
    values = []
    for seed in map(str, SEEDS):
        command = [sys.executable, "-m", "ltbench", "run", "--json", "--out", str(runs)]
        command += ["--seed", seed, "--data-seed", seed, "--precision", "fp32", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        values.append(json.loads(ended.stdout)["metrics"][name])
    return np.array(values)


def test_lift_plus_beats_zero_shot_overall(runs: Path) -> None:
    tuned, untuned = metric(runs, "accuracy"), metric(runs, "accuracy", "--method", "zero_shot")
    assert (tuned > untuned).all()


def test_logit_adjustment_beats_cross_entropy_on_few_shot_classes(runs: Path) -> None:
    val = ("--split", "val")  # 525 images of few-shot classes; the test split has 140
    adjusted, plain = metric(runs, "few", *val), metric(runs, "few", *val, "--loss", "ce")
    assert adjusted.mean() > plain.mean()
    assert (adjusted > plain).sum() >= 4
