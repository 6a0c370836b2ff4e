"""`ltbench predict`: classes of new images by the model of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ltbench.cli.completion import complete_name_of, complete_word_of
from ltbench.cli.options import DataRoot, Device, FinishedRun, Json, Set, Workers, read_assignments
from ltbench.cli.rank_options import Gpus, Processes, Ranks, shown
from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ltbench.prediction.found_images import FoundImages
    from ltbench.prediction.prediction_table import SkippedImage


def predict(
    run: FinishedRun,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Image files, folders with all below them, patterns in quotes, and CSV files with "
            "a column path.",
        ),
    ],
    top: Annotated[
        int, typer.Option(min=1, help="Classes of each image, the most probable first.")
    ] = 5,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all predictions to a CSV file.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all predictions to a Parquet file.")
    ] = None,
    json: Json = False,
    inference: Annotated[
        str | None,
        typer.Option(
            help="Views instead of the run's own.",
            metavar="NAME",
            autocompletion=complete_name_of("inference"),
        ),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(
            metavar="uniform|train|FILE",
            help="Class prior of the deployment, to which the probabilities are converted; FILE is "
            "a CSV file with class and weight. Default: as the model computes them.",
            autocompletion=complete_word_of(["uniform", "train"]),
        ),
    ] = None,
    on_corrupt: Annotated[
        Literal["fail", "skip"],
        typer.Option(
            help="Exit code where some images cannot be decoded: fail is 4, skip is 0. The others "
            "are predicted in any case."
        ),
    ] = "fail",
    assignments: Set = None,
    device: Device = "auto",
    ranks: Ranks = None,
    gpus: Gpus = None,
    workers: Workers = None,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Predict the classes of images with the model of a finished run.

    No data set is needed, but the backbone's weights are; where they have moved, add --set
    backbone.path=PLACE. Images are decoded, cropped and computed as in an evaluation. They are
    read in the order of the arguments, those of a folder sorted, each file once, and predictions
    are written while others are computed. A file is put in place when it is whole.

    Exit codes: 0 all images are predicted, 2 wrong usage or a path that does not exist, 4 the run
    or its weights are damaged, or some images cannot be decoded (these are listed), 130
    interrupted.

    Example: `ltbench predict runs/digits_lt/clip_tiny/lift_plus/0123456789ab photos --csv out.csv`
    """
    import sys

    from ltbench.cli.output_paths import output_file
    from ltbench.io.console import console
    from ltbench.prediction.found_images import find_images
    from ltbench.storage.run_directory import RunDirectory

    processes = Processes.of(ranks, gpus, device)
    result = RunDirectory(run).finished()
    csv_target = None if csv is None else output_file(csv, "--csv")
    parquet_target = None if parquet is None else output_file(parquet, "--parquet")
    if csv_target is not None and csv_target == parquet_target:
        raise ConfigError("--csv and --parquet: expected two files, got the same one twice")
    changes, faults = read_assignments(assignments)
    if faults:
        raise ConfigError.from_faults(faults, hint="see `ltbench predict --help`")
    errors = console(stderr=True)
    with errors.status("finding images"):
        found = find_images(paths)
    if found.ignored and processes.begins:
        errors.print(f"files ignored, without the file extension of an image: {found.ignored:,}")

    # Everything above is checked in less than a second: torch is imported from here on.
    if processes.start:
        raise typer.Exit(processes.run())
    from ltbench.io.gc import gc_paused
    from ltbench.io.interrupts import deferred

    stdout = sys.stdout
    with processes.joined() as (group, own_device), shown(group) as progress, group.agreed():
        progress.note(f"loading {result.spec.backbone.name}")
        with gc_paused():  # libraries are imported
            from ltbench.cli.predict_output import Output
            from ltbench.engine.building.agreement import expect_same_images
            from ltbench.prediction.predictor import load_predictor
        expect_same_images(found.images, group)
        predictor = load_predictor(
            result,
            inference=inference,
            prior=prior,
            device=own_device,
            settings=changes,
            data_root=data_root,
        )
        stream = stdout if json and group.leads else None
        targets = (csv_target, parquet_target) if group.leads else (None, None)
        output = Output(predictor, result, found.images, top, stream)
        with deferred(), output.files(*targets):
            progress.start("predicting", len(found))
            for part in predictor.stream(
                found.images, top=top, workers=workers, progress=progress, group=group
            ):
                output.add(part, progress)
            output.expect_some()
            progress.stop()
    if group.leads:
        output.finish()
    for option, target in (("--csv", csv), ("--parquet", parquet)):
        if target is not None and group.leads:
            errors.print(f"{option} {target}: {output.count:,} rows", markup=False, soft_wrap=True)
    if output.skipped and on_corrupt == "fail":
        raise _some_unread(output.skipped, found)


def _some_unread(skipped: list[SkippedImage], found: FoundImages) -> DataError:
    return DataError(
        f"{len(skipped):,} of {len(found):,} images cannot be decoded; all others are predicted",
        hint="replace these images, or accept them with --on-corrupt skip",
    )
