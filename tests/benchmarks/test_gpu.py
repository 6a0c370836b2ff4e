from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from benchmarks.gpu.cores import cpu_seconds
from benchmarks.gpu.padding import as_tensor, crop_padded, padded
from benchmarks.gpu.part import Goal, Part, figure, ratio
from benchmarks.gpu.parts import PARTS
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.results import PartResults
from benchmarks.gpu.table import print_part
from benchmarks.throughput.process import ROOT, run_command
from benchmarks.throughput.section import Column
from ltbench.data.loading.crop import crop
from ltbench.data.loading.resample import resample
from ltbench.views import Views

MACHINE = {
    "name": "m",
    "device": "cuda",
    "cores": 2,
    "peak_gflops": {"fp32": 100.0, "bf16": 200.0},
}
PLAN = Plan("cpu", Path("unused"), quick=True)


@dataclass
class Instant:
    """A measurement that is taken at once."""

    record: dict[str, Any]
    fails: bool = False
    taken: int = 0

    def take(self, timeout: float | None = None) -> dict[str, Any]:
        self.taken += 1
        if self.fails:
            raise RuntimeError("out of memory")
        return self.record


def part(**rows: Instant) -> Part:
    goals = (
        Goal("a / b", ratio("a", "b", "x"), "≥", 2.0),
        Goal("waits", figure("a", "waits"), "≤", 0.0),
        Goal("of no row", figure("c", "x"), "≥", 1.0),
    )
    columns = (Column("x", "x"), Column("empty", "y"))
    return Part("small", "A part", lambda plan: rows, columns, goals)  # type: ignore[arg-type, return-value]


def measure(results: PartResults, path: Path, seconds: float = 60.0) -> list[str]:
    return results.measure(PLAN, path, time.monotonic() + seconds, lambda row: None)


def test_a_part_is_written_after_each_row_and_continued(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "small.json"
    a, b = Instant({"x": 6.0, "waits": 1}), Instant({"x": 2.0}, fails=True)
    assert measure(PartResults.of(part(a=a, b=b), MACHINE, path), path) == ["b"]
    written = json.loads(path.read_text())
    assert (written["rows"], written["failed"]) == ({"a": a.record}, {"b": "out of memory"})
    assert [(goal["goal"], goal["reached"]) for goal in written["goals"]] == [("waits", False)]
    b.fails = False
    assert measure(PartResults.of(part(a=a, b=b), MACHINE, path), path) == []
    written = json.loads(path.read_text())
    assert (written["rows"]["b"], written["failed"]) == (b.record, {})
    assert [goal["measured"] for goal in written["goals"]] == [3.0, 1.0]
    assert (a.taken, b.taken) == (1, 2)


def test_a_part_without_time_left_begins_no_row(tmp_path: Path) -> None:
    a = Instant({"x": 1.0})
    assert measure(PartResults(part(a=a), MACHINE), tmp_path / "a.json", 0.0) == ["a"]
    assert a.taken == 0


def test_rows_of_another_machine_are_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    results = PartResults(part(a=Instant({"x": 1.0})), MACHINE)
    measure(results, path)
    with pytest.raises(SystemExit, match="measured on m; give another --out"):
        PartResults.of(results.part, {**MACHINE, "name": "other"}, path)


@pytest.mark.parametrize("content", ["", '{"part": ', "[1]", "{}", '{"part": "small"}', "\xff"])
def test_what_is_no_file_of_a_part_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "small.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(SystemExit, match="expected the file of a part; move it away"):
        PartResults.of(part(), MACHINE, path)
    assert path.read_text(encoding="latin-1") == content
    with pytest.raises(SystemExit, match="Is a directory; give another --out"):
        PartResults.of(part(), MACHINE, tmp_path)


def test_rows_of_tiny_sizes_or_of_another_part_are_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    measure(PartResults(part(a=Instant({"x": 1.0})), MACHINE, quick=True), path)
    assert "a" in PartResults.of(part(), MACHINE, path, quick=True).rows
    with pytest.raises(SystemExit, match="rows of part small with --quick; give another --out"):
        PartResults.of(part(), MACHINE, path)
    with pytest.raises(SystemExit, match="rows of part small with --quick; give another --out"):
        PartResults.of(replace(part(), name="other"), MACHINE, path, quick=True)


def test_utilisation_is_relative_to_the_measured_peak(tmp_path: Path) -> None:
    record = {"gflops": 50.0, "largest_gflops": 150.0, "precision": "bf16"}
    results = PartResults(part(a=Instant(record)), MACHINE)
    measure(results, tmp_path / "a.json")
    assert (results.rows["a"]["mfu"], results.rows["a"]["largest_mfu"]) == (0.25, 0.75)


def test_the_table_has_rows_and_goals() -> None:
    results = PartResults(part(), MACHINE, {"a": {"x": 6.0, "waits": 1}, "b": {"x": 2.0}})
    shown = io.StringIO()
    print_part(results, Console(width=100, file=shown))
    text = shown.getvalue()
    assert "a / b: 3.00 (goal ≥ 2.00): reached" in text
    assert "waits: 1.00 (goal ≤ 0.00): missed" in text
    assert "of no row" not in text
    assert "empty" not in text


def test_crops_of_padded_images_are_those_of_the_images() -> None:
    random = np.random.default_rng(0)
    sizes = np.array([(40, 60), (64, 33), (50, 50)])
    images = [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    boxes = np.array([[[0, 20, 40, 40]], [[31, 0, 33, 33]], [[3.0, 4, 20, 20]]], dtype=np.float64)
    views = Views(boxes, np.array([[True], [False], [True]]), crop_first=True)
    made = crop_padded(padded([as_tensor(image) for image in images]), views, 32)
    for number, image in enumerate(images):
        one = views[number : number + 1]
        flips = torch.from_numpy(one.flips)
        alone = resample(
            as_tensor(image)[None], torch.from_numpy(one.boxes), flips, 32, crop_first=True
        )
        assert torch.equal(made[number : number + 1], alone)
        assert (alone[0].int() - crop(image, one, 32).int()).abs().max() <= 2
    with pytest.raises(ValueError, match="padding"):
        crop_padded(padded([as_tensor(images[0])]), Views(boxes[:1]), 32)


def test_a_process_that_takes_too_long_is_stopped() -> None:
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="stopped after 0 s"):
        run_command([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.2)
    assert time.monotonic() - start < 30


def test_processor_time_grows() -> None:
    before = cpu_seconds()
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert 0.03 <= cpu_seconds() - before < 1


def test_every_part_has_rows_on_both_devices() -> None:
    for device, quick in (("cpu", True), ("cuda", False)):
        plan = Plan(device, Path("data"), quick)
        rows = {name: part.rows(plan) for name, part in PARTS.items()}
        assert all(rows.values())
    assert len(rows["training-b16"]) == len(rows["training-l14"]) == 6
    assert "ViT-L/14" in " ".join(rows["training-l14"])


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("photographs")


SLOW = {"peers", "tte", "switches"}  # whose models are large in any case, or are compiled


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else pytest.mark.full)
        for name in PARTS
    ],
)
def test_a_part_runs_on_a_cpu(name: str, photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "part.json"
    command = [sys.executable, "-m", "benchmarks.gpu", name, "--device", "cpu", "--quick"]
    where = ["--out", str(out), "--data", str(photographs), "--minutes", "30"]
    done = subprocess.run([*command, *where], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads(out.read_text())
    assert written["failed"] == {}
    assert list(written["rows"]) == list(PARTS[name].rows(Plan("cpu", photographs, True)))
