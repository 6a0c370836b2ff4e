"""`ltbench diagnose`: features of training and test images, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ltbench.cli.options import (
    CacheFolder,
    CacheSize,
    DataRoot,
    Device,
    Json,
    Set,
    Workers,
    read_assignments,
)
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DATA_ROOT, DEFAULT_OUT
from ltbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ltbench.analysis.diagnosis.method_diagnosis import MethodDiagnosis
    from ltbench.config.text import Text
    from ltbench.storage.diagnosis_schema import Diagnosis, Encoder
    from ltbench.storage.result_schema import RunResult
    from ltbench.storage.results import Cell

    Diagnose = Callable[[RunResult, Encoder], Diagnosis]

PRETRAINED: Literal["pretrained"] = "pretrained"
"""Value of --against: the features of a run's backbone before the run changed it."""


def diagnose(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Finished runs: directories, first digits of hashes below "
            f"{DEFAULT_OUT}, or folders whose runs differ only in their seed.",
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help=f"Run that each is compared with; '{PRETRAINED}', or the name of a method that "
            "trains nothing: the backbone's features before the run changed it. Default: the first "
            "run.",
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write a new page with tables and figures.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    assignments: Set = None,
    device: Device = "auto",
    workers: Workers = None,
    cache: CacheSize = DEFAULT_CACHE_GB,
    cache_dir: CacheFolder = None,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Show why rare classes fail: whether training and test images have the same features.

    For each shot group: how close the images of a class are, how far test features lie from
    training features, the gap between training and test accuracy, and whether errors go to frequent
    classes. Several runs are compared class by class.

    What is not stored yet is computed with the data and the weights, and stored in the run
    directories. Where these have moved, give their place with --set dataset.path=PLACE (or another
    option that is a path) or --data-root.

    Example: `ltbench diagnose runs/digits_lt/clip_tiny/lift_plus runs/digits_lt/clip_tiny/full`

    Example: `ltbench diagnose 199f --against pretrained --html diagnosis.html`
    """
    from ltbench.analysis.diagnosis.method_diagnosis import paired_with_first
    from ltbench.cli.output_paths import new_file

    target = None if html is None else new_file(html, "--html")
    changes, faults = read_assignments(assignments)
    if faults:
        raise ConfigError.from_faults(faults, hint="see `ltbench diagnose --help`")
    cells, pretrained = _cells(runs, against)
    methods = _methods(
        cells,
        _Computed(changes, device, workers, cache, cache_dir, data_root),
        pretrained=pretrained,
    )
    pairs = paired_with_first(methods)
    if target is not None:
        from ltbench.io.console import console
        from ltbench.report.diagnosis_page import write_diagnosis_page

        figures = write_diagnosis_page(methods, pairs, target)
        told = f"--html {html}: {figures} figures"
        console(stderr=True).print(told, markup=False, soft_wrap=True)
    if json:
        from ltbench.cli.diagnose_output import diagnoses_json
        from ltbench.cli.output import print_json

        print_json(diagnoses_json(methods, pairs))
    else:
        from ltbench.cli.diagnose_output import print_diagnoses

        print_diagnoses(methods, pairs)


def _cells(named: Sequence[str], against: str | None) -> tuple[list[Cell], bool]:
    """Returns the cells to diagnose, the one that the others are compared with first.

    Returns:
        Cells; and whether they are compared with the pretrained features instead.

    Raises:
        ConfigError: A text names no run, or runs that differ in more than their seed; or cells
            cannot be compared.
        DataError: A text names no finished run.
    """
    from ltbench.analysis.comparison.comparison import check_distinct
    from ltbench.analysis.diagnosis.method_diagnosis import expect_same_images

    pretrained = against is not None and _is_pretrained(against)
    texts = list(named) if against is None or pretrained else [against, *named]
    cells = [_cell(text) for text in texts]
    check_distinct(cells, texts)
    expect_same_images(cells, texts, pretrained=pretrained)
    return cells, pretrained


def _cell(named: str) -> Cell:
    """Returns the cell that a text names."""
    from ltbench.analysis.comparison.seed_predictions import single_cell
    from ltbench.cli.stored_runs import read_runs
    from ltbench.storage.run_lookup import find_directories

    return single_cell(read_runs(find_directories([named], DEFAULT_OUT)).runs, Path(named))


def _is_pretrained(against: str) -> bool:
    """Returns whether a text stands for the pretrained features: also a method without training."""
    from ltbench.registry.load import load_plugins
    from ltbench.specs import MethodSpec

    if against == PRETRAINED:
        return True
    method = load_plugins().components["method"].get(against)
    return method is not None and isinstance(method.spec, MethodSpec) and method.spec.seedless


class _Computed:
    """Reads the diagnosis of a run, and computes and stores it where it is missing.

    Args:
        changes: New paths of data and weights.
        device: Name of the device.
        workers: Number of loader workers; None to measure it.
        cache: Size of the cache in gigabytes.
        cache_dir: Folder of the cache; None for the default.
        data_root: Folder of the data sets.
    """

    def __init__(
        self,
        changes: dict[str, Text],
        device: str,
        workers: int | None,
        cache: float,
        cache_dir: Path | None,
        data_root: Path,
    ) -> None:
        self._changes = changes
        self._machine = device, workers, cache
        self._cache_dir = cache_dir
        self._data_root = data_root

    def __call__(self, run: RunResult, encoder: Encoder) -> Diagnosis:
        """Returns the diagnosis of a run.

        Raises:
            DataError: It is damaged; or data or weights are missing, or not those of the run.
            RunError: The run directory cannot be written to.
        """
        from ltbench.storage.diagnosis_schema import read_diagnosis

        stored = read_diagnosis(run, encoder)
        if stored is not None:
            return stored
        from ltbench.engine.diagnose import compute_diagnosis
        from ltbench.engine.progress_bar import show_progress
        from ltbench.engine.run import RuntimeConfig

        with show_progress() as progress:
            progress.note(f"diagnosing {run.path}")
            return compute_diagnosis(
                run,
                encoder,
                RuntimeConfig.of_stored(run, *self._machine, cache_dir=self._cache_dir),
                data_root=self._data_root,
                settings=self._changes,
                progress=progress,
            )


def _methods(
    cells: Sequence[Cell], diagnosed: Diagnose, *, pretrained: bool
) -> list[MethodDiagnosis]:
    """Returns the diagnoses of cells, the one that the others are compared with first."""
    from ltbench.analysis.comparison.config_diff import name_cells
    from ltbench.analysis.diagnosis.method_diagnosis import MethodDiagnosis

    methods = [
        MethodDiagnosis(
            name, cell.runs, tuple(diagnosed(run, "run") for run in cell.runs), cell.seedless
        )
        for cell, name in zip(cells, name_cells(cells), strict=True)
    ]
    if pretrained:
        run = cells[0].runs[0]
        before = (diagnosed(run, PRETRAINED),)
        methods.insert(0, MethodDiagnosis(PRETRAINED, (run,), before, seedless=True))
    return methods
