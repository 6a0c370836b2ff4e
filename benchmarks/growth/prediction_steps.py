"""Metrics, file and comparison of predictions that were drawn, by the number of images."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.growth.files import long_tailed
from ltbench.analysis.metrics import DEFAULT_RULE
from ltbench.analysis.stats.paired_bootstrap import paired_bootstrap
from ltbench.analysis.stats.randomisation import randomisation_test
from ltbench.analysis.stats.strata import Strata
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import Metrics

_STORED = 10  # classes of an image


def run(images: int, classes: int) -> dict[str, Any]:
    """Returns processor seconds of each part, and the size of the file in MB.

    Args:
        images: Number of test images.
        classes: Number of classes, each with as many of them.
    """
    counts = np.bincount(long_tailed(10 * classes, classes), minlength=classes)
    one, other = (_drawn(images, classes, seed) for seed in (0, 1))
    labels, groups = one.labels, DEFAULT_RULE.groups(counts)
    differences = (one.predicted == labels).astype(np.int8) - (other.predicted == labels)
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.parquet"
        about = {"hash": "0", "inference": "center", "split": "test"}
        strata = Strata.from_labels(labels, groups)
        for name, part in (
            ("metrics", lambda: Metrics.of(one, counts)),
            ("write", lambda: one.write(path, about)),
            ("read", lambda: Predictions.read(path)),
            ("bootstrap", lambda: paired_bootstrap(differences, strata)),
            ("randomisation", lambda: randomisation_test(differences, strata)),
        ):
            start = time.process_time()
            part()
            found[f"{name}_seconds"] = round(time.process_time() - start, 3)
        found["predictions_mb"] = round(path.stat().st_size / 1e6, 3)
    return found


def _drawn(images: int, classes: int, seed: int) -> Predictions:
    """Returns predictions of which three of four are correct."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    stored = random.integers(0, classes, (images, min(_STORED, classes)))
    stored[:, 0] = np.where(random.random(images) < 0.75, labels, stored[:, 0])
    logits = -np.sort(-random.random(stored.shape).astype(np.float32))
    return Predictions(np.arange(images), labels, stored, logits, logits[:, 0] + np.float32(0.5))
