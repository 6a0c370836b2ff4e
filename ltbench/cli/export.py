"""`ltbench export`: the trained model of a run as a folder that needs no ltbench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.completion import complete_word_of
from ltbench.cli.options import DataRoot, FinishedRun, Json, Set, read_assignments
from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.errors import ConfigError
from ltbench.export.formats import Format


def export(
    run: FinishedRun,
    to: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="safetensors, torch, onnx, openclip, timm, or hf-folder: the one of the library "
            "that the backbone is from, else torch.",
            autocompletion=complete_word_of(list(Format)),
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to create.")],
    assignments: Set = None,
    json: Json = False,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Export the trained model of a run: encoder, head, preprocessing, class names, model card.

    What a method has learned is merged into the encoder's weights where it is linear, as LoRA.
    What is not, as adapters, needs --to torch (a program of torch.export) or --to onnx. Both take
    uint8 images in batches of any size. DIR/predict.py predicts image files with any of them, with
    the test views of the run. The exported model is read back, and its logits are compared with
    those of the trained model. Where weights have moved, give their place with
    --set backbone.weights=PLACE (or another option that is a path).

    Example: `ltbench export runs/digits_lt/clip_tiny/lift_plus/0123456789ab --to torch --out model`
    """
    from ltbench.cli.output import print_json
    from ltbench.cli.output_paths import output_folder, writable_folder
    from ltbench.export.new_folder import expect_new
    from ltbench.io.console import console
    from ltbench.storage.run_directory import RunDirectory

    settings, faults = read_assignments(assignments)
    if faults:
        raise ConfigError.from_faults(faults, hint="see `ltbench export --help`")
    form = Format.of(to)
    output_folder(out, "--out")
    writable_folder(out.absolute().parent, "--out")
    expect_new(out)
    RunDirectory(run).finished()
    # Everything above is checked in less than a second: torch is imported from here on.
    from ltbench.export.write import export_run

    errors = console(stderr=True)
    with errors.status("exporting"):
        exported = export_run(run, form, out, settings, data_root)
    if json:
        print_json(exported.to_dict())
        return
    shown = console()
    for name, size in exported.files.items():
        shown.print(f"{size:>13,} bytes  {out / name}", markup=False, soft_wrap=True)
    shown.print(
        f"format {exported.form}, {exported.seconds:.1f} s; its logits differ from those of the "
        f"trained model by at most {exported.max_error:.1e}",
        markup=False,
        soft_wrap=True,
    )
    for note in exported.notes:
        shown.print(note, markup=False, soft_wrap=True)
