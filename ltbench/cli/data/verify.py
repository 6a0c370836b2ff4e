"""`ltbench data verify`: check of a data set's lists and files."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ltbench.cli.completion import complete_name_of
from ltbench.cli.options import DataRoot, Json, Set, read_assignments
from ltbench.cli.output_paths import output_file
from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ltbench.data import Dataset
    from ltbench.data.verify import BadImage
    from ltbench.registry.registry import Registry


def verify(
    name: Annotated[
        str,
        typer.Argument(
            help="Data set.", metavar="NAME", autocompletion=complete_name_of("dataset")
        ),
    ],
    lists_only: Annotated[
        bool, typer.Option("--lists-only", help="Check the split lists, but not the images.")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every image.")] = False,
    bad_files: Annotated[
        Path | None,
        typer.Option(
            help="CSV file for the list of bad files. Default: NAME-bad-files.csv.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    assignments: Set = None,
    data_seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed of the long-tailed subset.")
    ] = 0,
    json: Json = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that check files.")] = 2,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Verify a data set: lists, counts, class names, overlaps, files.

    Exit code 4 if a fault would make a run fail. Duplicate class names and files in two splits are
    warnings: published data sets have both. --deep writes the images with identical content to
    NAME-duplicates.csv, in the folder of the list of bad files.

    Example: `ltbench data verify places_lt --deep --data-root /data`
    """
    from ltbench.config.chosen_dataset import ChosenDataset
    from ltbench.contexts import DataContext
    from ltbench.engine.late_progress import LateProgress
    from ltbench.registry.load import load_plugins

    if lists_only and deep:
        raise ConfigError("--lists-only and --deep exclude each other", hint="give one of them")
    path = _writable(bad_files or Path(f"{name}-bad-files.csv"))
    settings, faults = read_assignments(assignments)
    context = DataContext(root=data_root, data_seed=data_seed, progress=LateProgress())
    registry = load_plugins()
    chosen = ChosenDataset.choose(registry, name, settings, context, faults)
    identity = chosen.identity()
    dataset = chosen.build()
    summary = _summary(dataset, name, identity, registry)
    if not json:
        _print(summary)
    bad = [] if lists_only else _bad_images(dataset, deep, workers)
    listed = _write(path, bad) if bad else ""
    if deep:
        summary["duplicates"] = _list_duplicates(dataset, path.with_name(f"{name}-duplicates.csv"))
    if not bad and not lists_only:
        path.unlink(missing_ok=True)  # of an earlier check
    if not lists_only:
        chosen.check()  # its message explains why a file is missing
    if json:
        from ltbench.cli.output import print_json

        print_json({**summary, "bad_files": [dataclasses.asdict(image) for image in bad]})
    if bad:
        first = bad[0]
        raise DataError(
            f"{name}: {len(bad):,} of {sum(map(len, dataset.splits.values())):,} images are bad, "
            f"first {first.name} ({first.split}): {first.fault}",
            hint=f"{listed}; download or create them again",
        )
    if not json:
        from ltbench.io.console import console

        if deep and summary["duplicates"]:
            file = path.with_name(f"{name}-duplicates.csv")
            console().print(
                f"[yellow]warning[/]: {summary['duplicates']:,} images have the content of another "
                f"one: see {file}",
                soft_wrap=True,
            )
        checked = "lists" if lists_only else "files and images" if deep else "files"
        console().print(f"[green]ok[/]: no fault in the {checked}")


def _summary(dataset: Dataset, name: str, identity: str, registry: Registry) -> dict[str, Any]:
    from ltbench.analysis.metrics import DEFAULT_RULE
    from ltbench.config.uniform_losses import uniform_losses
    from ltbench.data.split_warnings import prior_warning, untested_classes
    from ltbench.data.verify import overlaps, split_facts

    groups = DEFAULT_RULE.groups(dataset.class_counts)
    return {
        "dataset": name,
        "identity": identity,
        "classes": dataset.num_classes,
        "splits": {
            split: dataclasses.asdict(facts) for split, facts in split_facts(dataset).items()
        },
        "shot_groups": {group: int(classes.sum()) for group, classes in groups.items()},
        "train_images": dataset.class_counts.tolist(),
        "repeated_names": dataset.repeated_names,
        "similar_names": _similar_names(dataset),
        "overlaps": [[*pair, count] for pair, count in overlaps(dataset).items()],
        "notes": [
            *dataset.notes,
            *untested_classes(dataset),
            *prior_warning(dataset, list(uniform_losses(registry, dataset.class_counts))),
        ],
    }


def _similar_names(dataset: Dataset) -> list[list[str]]:
    """Returns groups of class names that differ only in capitals or underscores."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(dataset.class_names):
        groups.setdefault(" ".join(name.replace("_", " ").casefold().split()), []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _print(summary: dict[str, Any]) -> None:
    from rich.markup import escape

    from ltbench.io.console import console
    from ltbench.io.fitted_table import FittedTable

    out = console()
    out.print(f"\n[bold]{escape(summary['dataset'])}[/]: {summary['classes']:,} classes")
    table = FittedTable("split")
    for column in ("images", "classes", "images a class"):
        table.add_column(column, right=True)
    for split, facts in summary["splits"].items():
        smallest, largest = facts["smallest"], facts["largest"]
        each = f"{largest:,}" if smallest == largest else f"{largest:,} to {smallest:,}"
        table.add_row(split, f"{facts['images']:,}", f"{facts['classes']:,}", each)
    out.print(table)
    groups = ", ".join(f"{count} {group}" for group, count in summary["shot_groups"].items())
    out.print(f"shot groups (more than 100, 20 to 100, fewer than 20 training images): {groups}")
    for part in summary["identity"].split():
        out.print(f"identity  {escape(part)}", soft_wrap=True)
    for name, labels in summary["repeated_names"].items():
        out.print(
            f"[yellow]warning[/]: classes {labels} have the same name, '{escape(name)}': a text "
            "tower cannot distinguish them",
            soft_wrap=True,
        )
    for names in summary["similar_names"]:
        out.print(
            f"[yellow]warning[/]: class names {escape(', '.join(map(repr, names)))} differ in "
            "capitals or underscores only: most text towers cannot distinguish them",
            soft_wrap=True,
        )
    for note in summary["notes"]:
        out.print(f"[yellow]warning[/]: {escape(note)}", soft_wrap=True)
    for first, second, count in summary["overlaps"]:
        what = (
            f"{first} has {count:,} images more than once"
            if first == second
            else f"{first} and {second} share {count:,} images"
        )
        out.print(f"[yellow]warning[/]: {what}")


def _bad_images(dataset: Dataset, deep: bool, processes: int) -> list[BadImage]:
    """Returns the images that are missing or cannot be decoded."""
    from ltbench.data.verify import broken_images, missing_files
    from ltbench.engine.progress_bar import show_progress

    total = sum(map(len, dataset.splits.values()))
    with show_progress() as progress:
        progress.start("decoding" if deep else "checking files", total)
        broken = broken_images(dataset, processes, progress.advance) if deep else None
        bad = list(broken if broken is not None else missing_files(dataset, progress.advance))
        progress.stop()
    return bad


def _writable(path: Path) -> Path:
    """Returns the absolute path of the list of bad files, checked before the images are.

    Raises:
        ConfigError: The path is not a regular file, or its folder does not exist.
    """
    path = output_file(path.absolute(), "--bad-files")
    if not path.parent.is_dir():
        raise ConfigError(f"--bad-files: {path.parent} is not a directory", hint="create it")
    return path


def _list_duplicates(dataset: Dataset, path: Path) -> int:
    """Writes the pairs of images with identical content to a CSV file; returns their number."""
    from ltbench.data.verify import repeated_images
    from ltbench.engine.progress_bar import show_progress

    with show_progress() as progress:
        pairs = repeated_images(dataset, progress).pairs()
    rows = [
        (first, _image(dataset, first, one), second, _image(dataset, second, other))
        for (first, second), found in pairs.items()
        for one, other in found
    ]
    if not rows:
        path.unlink(missing_ok=True)  # of an earlier check
        return 0
    try:
        _write_csv(path, ("first_split", "first", "second_split", "second"), rows)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written: {error.strerror}",
            hint="choose another folder with --bad-files",
        ) from error
    return len(rows)


def _image(dataset: Dataset, split: str, index: int) -> str:
    """Returns the path of an image, or its index in the split where it has none."""
    from ltbench.data import FileImages

    images = dataset.splits[split].images
    return images.name(index) if isinstance(images, FileImages) else f"image {index}"


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes a CSV file.

    Raises:
        OSError: The file cannot be written.
    """
    from ltbench.io.files import replace_file

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    replace_file(path, text.getvalue().encode())


def _write(path: Path, bad: list[BadImage]) -> str:
    """Writes the list of bad files, and returns a sentence about it."""
    header = [field.name for field in dataclasses.fields(bad[0])]
    try:
        _write_csv(path, header, (dataclasses.astuple(image) for image in bad))
    except OSError as error:
        return f"the list {path} cannot be written ({error.strerror}): choose one with --bad-files"
    return f"see the list {path}"
