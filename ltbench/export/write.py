"""Export of a finished run to a folder, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltbench.errors import ConfigError, LTBenchError
from ltbench.export import predict_script
from ltbench.export.card import ExportFacts, model_card
from ltbench.export.formats import Format
from ltbench.export.library_folders import (
    expect_weights,
    format_of,
    has_stub_text,
    write_open_clip,
    write_timm,
    write_weights,
)
from ltbench.export.linear_head import LinearClassifier
from ltbench.export.new_folder import expect_new, new_folder
from ltbench.export.program import expect_onnx, write_onnx, write_torch
from ltbench.export.trained_model import TrainedModel
from ltbench.export.view_plan import center_plan
from ltbench.io.interrupts import check
from ltbench.io.text import html_text
from ltbench.specs import Settings

PREPROCESS_FILE, CLASSES_FILE, CARD_FILE = "preprocess.json", "classes.json", "README.md"
SCRIPT_FILE = "predict.py"
_READ_BYTES = 2**20
_RUNNERS = {
    Format.TORCH: "torch",
    Format.ONNX: "onnx",
    Format.TIMM: "timm_model",
    Format.OPENCLIP: "open_clip_model",
}


@dataclass(frozen=True)
class Exported:
    """An exported model.

    Args:
        path: Folder of the model.
        to: Format of the call.
        form: Format that was written: another one for `hf-folder`.
        files: Size of each file in bytes, by name.
        max_error: Largest difference of a logit from the trained model's, on images with patterns.
        seconds: Time that the export took.
        notes: Sentences on what the folder lacks, or why it has this format.
    """

    path: Path
    to: str
    form: str
    files: Mapping[str, int]
    max_error: float
    seconds: float
    notes: tuple[str, ...]

    def _repr_html_(self) -> str:
        """Returns a table of the files, which notebooks show."""
        rows = "".join(
            f"<tr><td>{html_text(name)}</td><td>{size:,}</td></tr>"
            for name, size in self.files.items()
        )
        title = (
            f"{self.path}: format {self.form}, largest difference of a logit {self.max_error:.1e}"
        )
        notes = "".join(f"<p>{html_text(note)}</p>" for note in self.notes)
        return (
            f"<table><caption>{html_text(title)}</caption><thead><tr><th>file</th><th>bytes</th>"
            f"</tr></thead><tbody>{rows}</tbody></table>{notes}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the content for JSON."""
        return {
            "path": str(self.path),
            "to": self.to,
            "format": self.form,
            "files": dict(self.files),
            "max_error": self.max_error,
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
        }


def export_run(
    run: Path, to: object, path: Path, settings: Settings, data_root: Path = Path("data")
) -> Exported:
    """Writes the trained model of a run to a new folder that needs no ltbench.

    Args:
        run: Run directory.
        to: Name of the format.
        path: Folder to create.
        settings: New paths of files that have moved, such as "backbone.weights".
        data_root: Folder of the data sets, for runs of older versions.

    Raises:
        ConfigError: The format is unknown, does not fit the model or needs a package, or the path
            exists.
        DataError: The run is not finished, or its weights are missing or damaged.
        RunError: The model cannot be traced or written, or reads back as another one.
    """
    started, form = time.monotonic(), Format.of(to)
    expect_new(path)
    if form == Format.ONNX:
        expect_onnx()
    model = TrainedModel.of(run, settings, data_root)
    check()
    with new_folder(path) as folder:
        written, error, notes, more = _write_model(model, form, folder)
        notes += _plan_notes(model)
        check()
        _write_json(folder / CLASSES_FILE, model.names)
        if written in _RUNNERS:
            about = preprocessing(model) | {"runner": _RUNNERS[written], **more}
            _write_json(folder / PREPROCESS_FILE, about)
            source = Path(predict_script.__file__).read_text(encoding="utf-8")
            (folder / SCRIPT_FILE).write_text(source, encoding="utf-8")
        else:
            _write_json(folder / PREPROCESS_FILE, preprocessing(model) | more)
        hashes = {one.name: _sha256(one) for one in sorted(folder.iterdir())}
        facts = ExportFacts(written, hashes, error, tuple(notes), _unit_features(model))
        (folder / CARD_FILE).write_text(model_card(model, facts), encoding="utf-8")
        _same_permissions(folder)
        sizes = {one.name: one.stat().st_size for one in sorted(folder.iterdir())}
    seconds = time.monotonic() - started
    return Exported(path, form.value, written.value, sizes, error, seconds, tuple(notes))


def preprocessing(model: TrainedModel) -> dict[str, Any]:
    """Returns the content of `preprocess.json`.

    Args:
        model: Trained model.
    """
    backbone = model.backbone
    plan = model.plan or center_plan(backbone.resolution)
    return {
        "resolution": backbone.resolution,
        "mean": (backbone.mean.flatten() / 255).tolist(),
        "std": (backbone.std.flatten() / 255).tolist(),
        "interpolation": "bicubic",
        "antialias": True,
        "views": [view.to_dict() for view in plan.views],
        "weights": list(plan.weights),
        "offset": list(plan.offset) or None,
    }


def _write_model(
    model: TrainedModel, form: Format, folder: Path
) -> tuple[Format, float, list[str], dict[str, Any]]:
    """Writes the model's own files.

    Returns:
        Format that was written, largest difference of a logit, notes, and more for
        `preprocess.json`.
    """
    notes: list[str] = []
    if form == Format.HF_FOLDER:
        form, notes = _library_format(model)
        if form != Format.TORCH:
            try:
                return _write_model(model, form, folder)
            except LTBenchError as error:
                notes.append(f"It is a traced program: {error.message}.")
                for file in folder.iterdir():
                    file.unlink()
                form = Format.TORCH
    more: dict[str, Any] = {}
    if form in (Format.TIMM, Format.OPENCLIP, Format.SAFETENSORS):
        more["unit_features"] = expect_weights(model, form).unit
    if form == Format.SAFETENSORS:
        largest = write_weights(model, folder)
    elif form == Format.TIMM:
        largest, inside = write_timm(model, folder)
        if not inside:
            notes.append(
                "The head scales the features to unit length, which no model of this library "
                "does: it is beside a model without classifier."
            )
    elif form == Format.OPENCLIP:
        stub = has_stub_text(model)
        largest = write_open_clip(model, folder)
        if stub:
            notes.append(
                "The features are not in the space of the texts: the text tower is a stub of one "
                "layer, and encodes no text."
            )
    else:
        largest = write_onnx(model, folder) if form == Format.ONNX else write_torch(model, folder)
    return form, largest, notes, more


def _library_format(model: TrainedModel) -> tuple[Format, list[str]]:
    """Returns the format of a folder for the hub, and why it is not a library's."""
    library = format_of(model)
    if library is None:
        return Format.TORCH, ["It is a traced program: no library builds this backbone."]
    try:
        expect_weights(model, library)
    except ConfigError as error:
        return Format.TORCH, [f"It is a traced program: {error.message.partition(': ')[2]}."]
    return library, []


def _plan_notes(model: TrainedModel) -> list[str]:
    name, notes = model.result.spec.inference.name, []
    if model.plan is None:
        notes.append(
            f"The test views of inference '{name}' are no crops of a resized image: predict.py "
            "takes one centre crop, with which the accuracies may differ."
        )
    if model.transductive:
        notes.append(
            f"Inference '{name}' adjusted the logits of all test images together. predict.py does "
            "not: its accuracies may differ."
        )
    return notes


def _unit_features(model: TrainedModel) -> bool:
    return isinstance(model.head, LinearClassifier) and model.head.unit


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _same_permissions(folder: Path) -> None:
    """Gives every file the permissions that the umask leaves: safetensors gives fewer."""
    mode = (folder / CARD_FILE).stat().st_mode & 0o777
    for file in folder.iterdir():
        file.chmod(mode)
