"""`ltbench errors`: which classes a model fails on, and which classes take their images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ltbench.cli.completion import complete_name_of
from ltbench.cli.options import DataRoot, FinishedRun, Json, Set, read_assignments
from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.errors import ConfigError

if TYPE_CHECKING:
    from ltbench.analysis.errors.error_analysis import ErrorAnalysis
    from ltbench.config.text import Text
    from ltbench.storage.result_schema import RunResult


def errors(
    run: FinishedRun,
    inference: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Inference whose stored predictions are read, as ltbench eval stores them. "
            "Default: that of the run.",
            autocompletion=complete_name_of("inference"),
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write a new page with more rows, and pictures of the most confident "
            "mistakes: at most 24, of 128 pixels, together at most 256 KB.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    assignments: Set = None,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Show which rare classes a finished run fails on, and as what they are recognised.

    The answer comes from the stored predictions: accuracy and calibration by shot group, the worst
    classes with their number of images, and the classes that take the images of rare classes.
    Neither data nor weights are needed, except for the pictures: where the data set has moved, give
    its place with --set dataset.path=PLACE or --data-root.

    Example: `ltbench errors runs/digits_lt/clip_tiny/lift_plus/199f5f1adf86`

    Example: `ltbench errors 199f --html errors.html`
    """
    from ltbench.cli.output_paths import new_file
    from ltbench.storage.run_directory import RunDirectory

    target = None if html is None else new_file(html, "--html")
    changes, faults = read_assignments(assignments)
    if faults:
        raise ConfigError.from_faults(faults, hint="see `ltbench errors --help`")
    result = RunDirectory(run).finished()
    analysis = _analysed(result, inference, changes, data_root, pictured=target is not None)
    if target is not None:
        from ltbench.io.console import console
        from ltbench.report.error_page import write_error_page

        write_error_page(analysis, target)
        count = len(analysis.pictures)
        told = f"--html {html}: {'1 picture' if count == 1 else f'{count} pictures'}"
        console(stderr=True).print(told, markup=False, soft_wrap=True)
    if json:
        from ltbench.cli.errors_output import analysis_json
        from ltbench.cli.output import print_json

        print_json(analysis_json(analysis, result))
    else:
        from ltbench.cli.errors_output import print_analysis

        print_analysis(analysis)


def _analysed(
    result: RunResult,
    inference: str | None,
    changes: dict[str, Text],
    data_root: Path,
    *,
    pictured: bool,
) -> ErrorAnalysis:
    """Returns the analysis of a run, with the progress of reading its data set on stderr."""
    from ltbench.analysis.errors.error_analysis import ErrorAnalysis
    from ltbench.analysis.errors.mistake_pictures import MAX_PICTURES
    from ltbench.engine.progress_bar import show_progress
    from ltbench.engine.stored_split import EvaluatedSplits

    with show_progress() as progress:
        opened = EvaluatedSplits(data_root, changes, progress)
        opened.expect_settings(result)
        return ErrorAnalysis.of_run(
            result, inference, open_split=opened, pictures=MAX_PICTURES if pictured else 0
        )
