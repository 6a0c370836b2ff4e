"""`ltbench data new`: a folder of images becomes a data set."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ltbench.cli.options import Json
from ltbench.cli.output_paths import output_file
from ltbench.errors import ConfigError, DataError
from ltbench.specs import DatasetSpec

if TYPE_CHECKING:
    from ltbench.registry.registry import Registry


def new(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="Folder with a folder of images for each class; or with train/, test/ and "
            "optionally val/, which hold these.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV file to write. Default: NAME.csv, for the folder NAME.",
            show_default=False,
        ),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Test images of each class: a number such as 5, or a share such as 0.2. Default: "
            "0.2, where the folder has no test/.",
            show_default=False,
        ),
    ] = None,
    val: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Validation images of each class, as for --test. Default: none; a run holds some "
            "out when it needs them.",
            show_default=False,
        ),
    ] = None,
    data_seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed of the drawn splits.")
    ] = 0,
    similar: Annotated[
        bool,
        typer.Option(
            "--similar",
            help='Find test images that look like training images. Needs "ltbench[imagehash]".',
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing CSV file.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that decode images. Default: all cores.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check a folder of images, split it, and list it in a CSV file.

    Shows how many images the classes have, with their shot groups. Finds files that cannot be read,
    images with the same bytes, and classes with few or no test images. The CSV file has the sound
    images, each once, with their split. The folder is not changed. The last line is the command of
    a first run.

    Example: `ltbench data new pets --test 5`
    """
    from ltbench.cli.data.new_output import as_json, print_survey
    from ltbench.data.survey.examination import expect_imagehash
    from ltbench.data.survey.image_list import list_text, prefix_from
    from ltbench.data.survey.survey import survey_folder
    from ltbench.engine.late_progress import LateProgress
    from ltbench.io.files import replace_file
    from ltbench.io.paths import with_home
    from ltbench.registry.load import load_plugins

    amounts = {name: _amount(name, text) for name, text in (("test", test), ("val", val))}
    if similar:
        expect_imagehash()
    root = with_home(path)
    file = with_home(out) if out is not None else _default_file(root)
    target = _new_file(file, overwrite=overwrite)
    prefix = prefix_from(target.parent, root)
    survey = survey_folder(
        root,
        test=amounts["test"],
        val=amounts["val"],
        data_seed=data_seed,
        similar=similar,
        processes=workers or os.cpu_count() or 1,
        progress=LateProgress(),
    )
    try:
        replace_file(target, list_text(survey, prefix or "").encode())
    except OSError as error:
        raise DataError(
            f"{file} cannot be written: {error.strerror}", hint="choose another file with --out"
        ) from error
    command = _first_run(load_plugins(), file, root if prefix is None else None)
    if json:
        from ltbench.cli.output import print_json

        print_json({"file": str(file), **as_json(survey), "next": command})
    else:
        print_survey(survey, file, command)


def _amount(name: str, text: str | None) -> int | float | None:
    """Returns a number of images of 1 or more, or a share between 0 and 1.

    Raises:
        ConfigError: The text is neither.
    """
    if text is None:
        return None
    try:
        amount = int(text) if text.strip().isdecimal() else float(text)
    except ValueError:
        amount = 0
    if 0 < amount < 1 or (isinstance(amount, int) and 1 <= amount < 2**31):
        return amount
    raise ConfigError(
        f"--{name}: expected a number of images or a share between 0 and 1, got {text!r}",
        hint=f"for instance --{name} 5, or --{name} 0.2",
    )


def _default_file(root: Path) -> Path:
    """Returns NAME.csv in the current folder, for the folder NAME."""
    return Path(f"{Path(os.path.abspath(root)).name or 'images'}.csv")  # noqa: PTH100


def _new_file(file: Path, *, overwrite: bool) -> Path:
    """Returns the path to write, checked before the images are read.

    Raises:
        ConfigError: The file exists and may not be replaced, or cannot be written.
    """
    target = output_file(file.absolute(), "--out")
    if not target.parent.is_dir():
        raise ConfigError(f"--out: {target.parent} is not a directory", hint="create it")
    if os.path.lexists(target) and not overwrite:
        raise ConfigError(
            f"{file} exists", hint="add --overwrite to replace it, or --out for another file"
        )
    return target


def _first_run(registry: Registry, file: Path, root: Path | None) -> str:
    """Returns the command of a first run; empty where no data set reads lists."""
    for name, component in registry.components["dataset"].items():
        spec = component.spec
        listed = spec.list_settings if isinstance(spec, DatasetSpec) else None
        if listed is not None:
            settings = [f"--set {shlex.quote(f'{k}={v}')}" for k, v in listed(file, root).items()]
            return " ".join(["ltbench run --dataset", name, *settings])
    return ""
