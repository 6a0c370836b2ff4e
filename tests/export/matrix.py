"""Exports of every method on three families of backbones: `python -m tests.export.matrix` prints
the table of the documentation."""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from ltbench.errors import LTBenchError
from ltbench.export.formats import Format
from ltbench.export.write import export_run
from ltbench.registry.load import load_plugins
from ltbench.testing.bench import Bench
from ltbench_plugins.methods.peft_tuners import TUNERS
from tests.engine.test_stored_model import stored

BACKBONES: Mapping[str, Mapping[str, Any]] = {
    "CLIP ViT": {"backbone": "clip_tiny"},
    "timm ViT": {"backbone": "timm", "backbone.model": "test_vit", "backbone.pretrained": False},
    "ResNet": {"backbone": "timm", "backbone.model": "test_resnet", "backbone.pretrained": False},
}
FORMATS = [to for to in Format if to != Format.HF_FOLDER]  # which is one of the others
SMALL = {"tuner c3a": {"method.rank": 64}, "tuner vblora": {"method.rank": 64}}
"""Sizes of tuners whose defaults are for wider backbones."""


def cases() -> dict[str, dict[str, Any]]:
    """Every method, and peft with every tuner."""
    methods = [name for name in load_plugins().components["method"] if name != "peft"]
    found: dict[str, dict[str, Any]] = {name: {"method": name} for name in methods}
    for tuner in TUNERS:
        name = f"tuner {tuner}"
        found[name] = {"method": "peft", "method.tuner": tuner, **SMALL.get(name, {})}
    return found


def export_to_all(bench: Bench, settings: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Runs a method and exports it to every format.

    Returns:
        For each format its files' size, seconds and largest difference, or an error; empty where
        the method does not go with the backbone.
    """
    try:
        directory = stored(bench, settings, out / "runs")
    except AssertionError:
        return {}
    found: dict[str, Any] = {}
    for to in FORMATS:
        try:
            exported = export_run(directory.path, to.value, out / to.value, {})
        except LTBenchError as error:
            found[to.value] = error.message
        else:
            found[to.value] = exported.to_dict()
    return found


def matrix(chosen: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yields case, family of backbones and exports."""
    bench = Bench.of(load_plugins())
    for case, settings in cases().items():
        if chosen not in case:
            continue
        for family, backbone in BACKBONES.items():
            with tempfile.TemporaryDirectory() as folder:
                yield case, family, export_to_all(bench, {**backbone, **settings}, Path(folder))


def cell(exports: Mapping[str, Any]) -> str:
    """Returns the formats of a case, as the documentation lists them."""
    if not exports:
        return "-"
    return ", ".join(to for to, found in exports.items() if isinstance(found, dict)) or "none"


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for case, family, exports in matrix(*sys.argv[1:2]):
        sys.stdout.write(json.dumps([case, family, cell(exports), exports]) + "\n")
        sys.stdout.flush()
