from __future__ import annotations

from typing import Any

import pytest

from ltbench.grid.forecast import Forecast, Forecaster
from ltbench.grid.status import CellState, Figures, read_states
from ltbench.storage.result_schema import RefinementRecord
from tests import runs
from tests.grid.grids import Folder

TWO = "seed = [0, 1]\n[[include]]\nloss = ['ce', 'focal']\n"


def result(train: float, evaluation: float, memory: float) -> dict[str, Any]:
    return {
        "learned": {"total": 1280, "percent": 0.1},
        "training": {"seconds": train},
        "selection": {"seconds": 1.0},
        "evaluation": {"seconds": evaluation},
        "peak_memory_mb": memory,
    }


def store(folder: Folder, cell: CellState, *results: dict[str, Any]) -> None:
    for state, changed in zip(cell.runs, results, strict=False):
        runs.store(folder.out, state.run.resolved.spec, changed=changed)


def test_seconds_are_those_of_all_stages(folder: Folder) -> None:
    (cell,) = read_states(folder.read("seed = 0\n"), folder.out)
    store(folder, cell, result(4, 2, 100))
    stored = cell.runs[0].directory.finished()
    assert Figures.of(stored).seconds == 7
    refinement = RefinementRecord(name="crt", seconds=3.5, history=[])
    assert Figures.of(runs.altered(stored, {"refinement": refinement})).seconds == 10.5


def test_a_cell_is_as_its_own_runs_were_and_others_by_the_epoch(folder: Folder) -> None:
    grid = folder.read(TWO)
    first, _ = read_states(grid, folder.out)
    store(folder, first, result(4, 2, 100), result(6, 2, 300))  # 7 and 9 seconds
    first, second = read_states(grid, folder.out)
    forecaster = Forecaster(folder.out, [first, second])
    assert forecaster.of(first) == Forecast("measured", 8, 300, 1280, 0.1)
    # (4 + 1) / 2 and (6 + 1) / 2 seconds an epoch: 3 in the middle; two epochs and 2 seconds.
    assert forecaster.of(second) == Forecast("similar", 8, 300)
    longer = folder.read("[[include]]\nloss = 'focal'\ntrain.epochs = 10\n")
    (cell,) = read_states(longer, folder.out)
    assert forecaster.of(cell) == Forecast("similar", 32, 300)


def test_nothing_is_known_of_another_method(folder: Folder) -> None:
    grid = folder.read(TWO)
    store(folder, read_states(grid, folder.out)[0], result(4, 2, 100))
    (other,) = read_states(folder.read("[[include]]\nmethod = 'lora'\n"), folder.out)
    assert Forecaster(folder.out, []).of(other) is None
    probed = Forecast("probed", 1, 2, 3, 4)
    assert Forecaster(folder.out, [], lambda cell: probed).of(other) == probed


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"training": 3}'])
def test_broken_results_are_no_source(folder: Folder, broken: str) -> None:
    first, second = read_states(folder.read(TWO), folder.out)
    store(folder, first, result(4, 2, 100))
    (first.runs[0].directory.path / "result.json").write_text(broken)
    assert Forecaster(folder.out, []).of(second) is None
