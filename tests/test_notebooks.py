"""Notebooks: the ones in `examples/`, and what a notebook shows of results."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from ltbench.registry.registry import Registry
from tests import runs

EXAMPLES = Path(__file__).parents[1] / "examples"
TIMEOUT_SECONDS = 600


def executed(
    notebook: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[list[dict[str, Any]]]:
    """Executes a notebook in a folder, and returns the outputs of its code cells."""
    monkeypatch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(
        notebook, timeout=TIMEOUT_SECONDS, kernel_name="python3", resources=resources
    ).execute()
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def html(outputs: list[dict[str, Any]]) -> str:
    return "".join(output.get("data", {}).get("text/html", "") for output in outputs)


def litter(each: list[list[dict[str, Any]]]) -> list[str]:
    """Returns what was written to streams: warnings of libraries, lines of progress bars."""
    return [one["text"] for outputs in each for one in outputs if one["output_type"] == "stream"]


@pytest.mark.full
def test_results_show_themselves(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method in ("full", "lift_plus"):
        runs.store(tmp_path / "runs", runs.spec_of(registry, method=method))
    cells = (
        "import ltbench\nresults = ltbench.load_results()\nresults",
        "results[0]",
        "results.compare('lift_plus', 'full', metric='few')",
    )
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    each = executed(notebook, tmp_path, monkeypatch)
    assert litter(each) == []
    assert "<caption>2 runs</caption>" in html(each[0])
    assert "95 % interval" in html(each[1])
    assert "lift_plus against full" in html(each[2])


def test_notebooks_are_committed_without_outputs() -> None:
    for path in EXAMPLES.rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        for cell in notebook.cells:
            assert not cell.get("outputs"), path
            assert cell.get("execution_count") is None, path


@pytest.mark.full  # six runs in processes of their own
def test_the_notebook_leads_from_a_folder_to_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = nbformat.read(EXAMPLES / "from_folder_to_model.ipynb", as_version=4)
    each = executed(notebook, tmp_path, monkeypatch)
    assert litter(each) == []
    files, difference = ast.literal_eval(each[-1][-1]["data"]["text/plain"])
    assert files["model.onnx"] > 1_000_000
    assert difference < 1e-3
    shown = [html(outputs) for outputs in each]
    read, progress, results = map(html, ([output] for output in each[2]))
    assert "images\n" in read
    assert "6/6 done" in progress
    assert "6 done, 0 failed" in progress
    assert "<caption>6 runs</caption>" in results
    assert "p_value_vs_best" in shown[3]
    assert "image/png" in each[4][-1]["data"]
    assert "mean-class" in shown[5]
    assert "test/" in shown[6]
    assert each[7][0]["data"]["text/plain"] == "'zero'"
