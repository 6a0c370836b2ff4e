"""A finished run in Python: the stored result, and the model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import ltbench
from ltbench.api.finished_run import FinishedRun
from ltbench.errors import ConfigError, DataError
from ltbench.storage.run_directory import RunDirectory

STORED = Path(__file__).parents[1] / "data/results/schema-2/lift_plus/628b1edd1434"


def test_it_is_the_stored_result() -> None:
    finished, result = ltbench.load_run(STORED), RunDirectory(STORED).finished()
    assert isinstance(finished, FinishedRun)
    assert finished.to_dict() == result.to_dict()
    assert (finished.path, finished.spec, finished.key) == (STORED, result.spec, result.key)


def test_a_result_is_read_without_torch() -> None:
    code = (
        f"import sys, ltbench; ltbench.load_run({str(STORED)!r}); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_run_has_a_model(tmp_path: Path) -> None:
    small = {"dataset.largest": 10, "dataset.ratio": 4, "inference": "center"}
    run = ltbench.run(
        method="zero_shot", out=tmp_path, device="cpu", workers=0, progress=False, **small
    )
    model, loaded = run.model("cpu"), ltbench.load_run(run.path).model("cpu")
    side = model.resolution
    pixels = torch.randint(0, 256, (3, 3, side, side), dtype=torch.uint8)
    assert model(pixels).shape == (3, len(model.class_names))
    assert torch.equal(model(pixels), loaded(pixels))
    for wrong in (pixels.float(), pixels[0], pixels[:, :1], pixels[:0], pixels[..., :7]):
        with pytest.raises(ConfigError, match=rf"expected torch.uint8 \(B, 3, {side}, {side}\)"):
            model(wrong)
    RunDirectory(run.path).frozen.unlink()
    with pytest.raises(DataError, match=r"frozen\.safetensors"):
        ltbench.load_run(run.path).model("cpu")


def test_its_representation_is_one_line() -> None:
    shown = repr(ltbench.load_run(STORED))
    assert shown.startswith("<FinishedRun lift_plus on digits_lt with clip_tiny, seed ")
    assert shown.endswith(f" %, {STORED}>")
