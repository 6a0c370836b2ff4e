from __future__ import annotations

from ltbench.grid.status import read_states
from ltbench.storage.result_schema import Failure
from tests.grid.grids import Folder


def test_states_are_those_of_the_store(folder: Folder) -> None:
    grid = folder.read("seed = [0, 1, 2, 3]\n")
    (cell,) = read_states(grid, folder.out)
    assert [run.state for run in cell.runs] == ["to do"] * 4
    assert not folder.out.exists()

    failed, running, half, _ = (run.directory for run in cell.runs)
    for directory in (failed, running, half):
        directory.path.mkdir(parents=True)
    failed.write(Failure(error="it broke", hint="", kind="RunError"))
    running.write_history([{"epoch": 0}, {"epoch": 1}])
    (half.path / "result.json").write_text('{"schema": 1,')
    with running.lock(folder.out):
        (cell,) = read_states(grid, folder.out)
    assert [run.state for run in cell.runs] == ["failed", "running", "failed", "to do"]
    assert cell.count("failed") == 2
    assert cell.runs[0].error == "it broke"
    assert cell.runs[1].epochs == 2
    assert "is not JSON" in cell.runs[2].error
    (cell,) = read_states(grid, folder.out)
    assert [run.state for run in cell.runs][1] == "to do"  # whoever ran it has gone
