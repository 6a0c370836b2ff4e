"""Notes on seeds and methods trained in different precisions or on different devices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ltbench.analysis.comparison.environments import environment_notes
from ltbench.api.finished_run import load_run
from ltbench.storage.environment_schema import Environment
from tests.runs import altered

STORED = Path(__file__).parents[2] / "data/results/schema-2/lift_plus/957d5868c36a"
FP32 = {"precision": "fp32", "device": "cpu (AVX512)", "packages": {"torch": "2.14.1"}}
NO_TORCH = {**FP32, "packages": {}}
BF16 = {**FP32, "precision": "bf16"}


def runs(*environments: dict[str, Any]) -> list[Environment]:
    stored = load_run(STORED)
    return [altered(stored, {"environment": changed}).environment for changed in environments]


def test_runs_of_one_machine_need_no_note() -> None:
    assert not list(environment_notes({"lora": runs(FP32, FP32), "full": runs(FP32)}))


def test_runs_that_recorded_no_version_need_no_note() -> None:
    found = {"lora": runs(NO_TORCH, NO_TORCH), "full": runs(NO_TORCH, FP32)}
    assert not list(environment_notes(found))


def test_seeds_of_a_cell_in_different_precisions() -> None:
    (note,) = environment_notes({"lora": runs(FP32, BF16, BF16)})
    assert note == (
        "the runs were trained with different precisions: lora bf16 (2 runs) and fp32 (1 run)"
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"precision": "bf16"}, "precisions: full bf16; lora fp32"),
        ({"packages": {"torch": "2.5.0"}}, "versions of torch: full 2.5.0; lora 2.14.1"),
        ({"device": "NVIDIA H100"}, "devices: full NVIDIA H100; lora cpu (AVX512)"),
    ],
)
def test_cells_that_were_not_trained_alike(changed: dict[str, Any], words: str) -> None:
    (note,) = environment_notes({"lora": runs(FP32), "full": runs({**FP32, **changed})})
    assert note == f"the runs were trained with different {words}"


def test_of_many_cells_the_exceptions_are_named() -> None:
    cells = {f"method_{number}": runs(FP32) for number in range(9)} | {"full": runs(BF16)}
    (note,) = environment_notes(cells)
    assert note.endswith("precisions: full bf16; the others fp32")
