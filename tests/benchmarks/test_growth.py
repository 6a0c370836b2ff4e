"""Benchmark of growth: its files and lists, its tables, and the whole command with tiny sizes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.growth import classes, images
from benchmarks.growth.figures import FIGURES, growth, table
from benchmarks.growth.files import Listed, long_tailed, name_of, write_files, write_list
from benchmarks.process import ROOT
from ltbench.data.decoding.decode import decode


@pytest.mark.parametrize("size", [*classes.SIZES, 20_000])
def test_every_class_has_an_image_and_the_first_has_most(size: int) -> None:
    counts = np.bincount(long_tailed(20_000, size), minlength=size)
    assert counts.sum() == 20_000
    assert counts.min() >= 1
    assert counts[0] >= counts.max() - 1


def test_no_two_files_have_the_same_bytes(tmp_path: Path) -> None:
    write_files(tmp_path, 2)
    first = (tmp_path / name_of(0)).stat().st_mtime_ns
    write_files(tmp_path, 1_002)
    assert (tmp_path / name_of(0)).stat().st_mtime_ns == first
    contents = [(tmp_path / name_of(number)).read_bytes() for number in range(1_002)]
    assert len(set(contents)) == 1_002
    one, other = (decode(contents[number], "image") for number in (0, 500))
    assert np.array_equal(one, other)
    assert one.shape == (32, 32, 3)


def test_a_list_has_training_images_first(tmp_path: Path) -> None:
    listed = Listed(tmp_path / "list.csv", tmp_path)
    write_list(listed, [1, 0], [1])
    assert listed.path.read_text(encoding="utf-8").splitlines() == [
        "path,label,split",
        "0000/0000000.jpg,class 00001,train",
        "0000/0000001.jpg,class 00000,train",
        "0000/0000002.jpg,class 00001,test",
    ]


@pytest.mark.parametrize("part", [images, classes])
def test_drawn_commands_are_measured(part: object) -> None:
    name = part.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    commands = {step.command for step in part.STEPS}  # type: ignore[attr-defined]
    assert commands.issuperset(FIGURES[name].commands)


def test_tables_and_figures_have_what_is_measured(tmp_path: Path) -> None:
    row = {"command": "report", "peak_mb": 1234}
    rows = [{**row, "size": 1_000, "cpu_seconds": 12.3}, {**row, "size": 10, "cpu_seconds": 1.23}]
    rows.append({**rows[0], "command": "compare"})
    (tmp_path / "classes.json").write_text(json.dumps({"rows": rows}))
    assert table("classes", tmp_path).splitlines() == [
        "| classes | 10 | 1,000 |",
        "|---|---|---|",
        "| report | 1.2 s, 1.2 GB | 12 s, 1.2 GB |",
        "| compare |  | 12 s, 1.2 GB |",
    ]
    assert b"report" in growth("classes", tmp_path)


@pytest.mark.slow
def test_the_command_continues_where_it_was(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.growth", "--quick"]
    command += ["--folder", str(tmp_path / "files"), "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    measured = json.loads((tmp_path / "images.json").read_text())
    assert [row["command"] for row in measured["rows"]] == [s.command for s in images.STEPS]
    (tmp_path / "images.json").write_text(json.dumps({**measured, "rows": measured["rows"][:-1]}))
    again = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert again.stdout.count("cpu_seconds") == 1
