"""Computation of the diagnosis of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.engine.stored_choices import resolve_stored
from ltbench.progress import SILENT, ProgressReporter
from ltbench.specs import Settings
from ltbench.storage.diagnosis_schema import Diagnosis, Encoder, write_diagnosis
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory

if TYPE_CHECKING:
    from ltbench.engine.run import RuntimeConfig


def compute_diagnosis(
    run: RunResult,
    encoder: Encoder,
    runtime: RuntimeConfig,
    *,
    data_root: Path = DEFAULT_DATA_ROOT,
    settings: Settings | None = None,
    progress: ProgressReporter = SILENT,
) -> Diagnosis:
    """Computes the diagnosis of a finished run, and stores it in its directory.

    Args:
        run: Stored result.
        encoder: Encoder of the features: that of the run, or the pretrained one of its backbone.
        runtime: Device, loader workers and cache.
        data_root: Folder of the data sets.
        settings: New paths of data and weights that have moved, such as "dataset.path".
        progress: Progress reporter.

    Raises:
        ConfigError: A setting is no such path, or there is no such device.
        DataError: Data or weights are missing, damaged, or not those of the run.
        RunError: The run directory cannot be written to.
    """
    from ltbench.analysis.diagnosis.class_statistics import FeatureStatistics
    from ltbench.engine.memory import memory_explained
    from ltbench.engine.stored_features import StoredEncoder
    from ltbench.io.interrupts import deferred
    from ltbench.registry.attribution import attribute_errors

    directory = RunDirectory(run.path)
    directory.expect_writable()
    resolved = resolve_stored(run.spec, settings or {}, data_root)
    loader_config = runtime.loader_config(resolved.spec)
    skipped: dict[str, int] = {}
    with attribute_errors(*resolved.components.values()), memory_explained(), deferred():
        stored = StoredEncoder.of(resolved, directory, loader_config, encoder, progress)
        statistics = FeatureStatistics(run, stored.width)
        for one in stored.by_class(skipped):
            statistics.add(one)
    diagnosis = statistics.diagnosis(
        encoder, skipped_train=skipped["train"], skipped_test=skipped[run.spec.split]
    )
    write_diagnosis(run, diagnosis)
    return diagnosis
