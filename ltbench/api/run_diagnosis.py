"""Diagnosis of a finished run from Python: read, or computed with the display of its progress."""

from __future__ import annotations

from ltbench.api.progress import shown_progress
from ltbench.api.run_arguments import DiagnosisArguments
from ltbench.errors import Interrupted
from ltbench.io import interrupts
from ltbench.io.notebook import import_tqdm_quietly
from ltbench.progress import ProgressReporter
from ltbench.specs import Settings
from ltbench.storage.diagnosis_schema import Diagnosis, Encoder, read_diagnosis
from ltbench.storage.result_schema import RunResult


def read_or_compute(
    run: RunResult,
    encoder: Encoder,
    arguments: DiagnosisArguments,
    settings: Settings,
    *,
    shown: bool,
) -> Diagnosis:
    """Returns the stored diagnosis of a run, or computes and stores it.

    Args:
        run: Result that was read from a run directory.
        encoder: Encoder of the features.
        arguments: Device, loader workers, cache and folder of the data sets.
        settings: New paths of data and weights.
        shown: Whether progress is shown on the standard error.

    Raises:
        LTBenchError: See `compute_diagnosis` and `read_diagnosis`.
        KeyboardInterrupt: The computation was interrupted; nothing is stored.
    """
    stored = read_diagnosis(run, encoder)
    if stored is not None:
        return stored
    import_tqdm_quietly()
    try:
        with interrupts.caught(), shown_progress(shown=shown) as progress:
            return _compute(run, encoder, arguments, settings, progress)
    except Interrupted as error:
        raise KeyboardInterrupt(f"{error.message}; nothing was stored") from None


def _compute(
    run: RunResult,
    encoder: Encoder,
    arguments: DiagnosisArguments,
    settings: Settings,
    progress: ProgressReporter,
) -> Diagnosis:
    from ltbench.engine.diagnose import compute_diagnosis
    from ltbench.engine.run import RuntimeConfig

    runtime = RuntimeConfig.of_stored(run, arguments.device, arguments.workers, arguments.cache)
    root = arguments.data_root
    return compute_diagnosis(
        run, encoder, runtime, data_root=root, settings=settings, progress=progress
    )
