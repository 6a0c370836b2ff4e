from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from ltbench.errors import ConfigError, DataError
from ltbench.registry.registry import Registry
from ltbench.storage.packing import pack
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import find_runs
from ltbench.storage.tags import write_tags
from tests.runs import spec_of, store


@pytest.fixture
def runs(tmp_path: Path, registry: Registry) -> tuple[RunResult, ...]:
    for seed in range(2):
        path = store(tmp_path / "runs", spec_of(registry, seed=seed))
        (path / "learned.safetensors").write_bytes(b"weights")
        (path / "checkpoint").mkdir()
    write_tags(path, {"paper": "table 3"})
    return find_runs([tmp_path / "runs"]).runs


def test_an_archive_has_everything_but_weights(runs: tuple[RunResult, ...], tmp_path: Path) -> None:
    packed = pack(runs, tmp_path / "runs.zip")
    assert (packed.runs, packed.size) == (2, (tmp_path / "runs.zip").stat().st_size)
    with zipfile.ZipFile(tmp_path / "runs.zip") as zipped:
        manifest = json.loads(zipped.read("manifest.json"))
        names = set(zipped.namelist())
        for run in manifest["runs"]:
            for name, digest in run["files"].items():
                content = zipped.read(f"{run['folder']}/{name}")
                assert hashlib.sha256(content).hexdigest() == digest
                names.remove(f"{run['folder']}/{name}")
    assert names == {"manifest.json"}
    each = {"result.json", "spec.json", "predictions-tte.parquet"}
    files = [set(run["files"]) for run in manifest["runs"]]
    assert sorted(files, key=len) == [each, each | {"tags.json"}]


def test_equal_runs_give_equal_bytes(runs: tuple[RunResult, ...], tmp_path: Path) -> None:
    pack(runs, tmp_path / "one.zip")
    for run in runs:
        for path in run.path.iterdir():
            os.utime(path, (0, 0))
    pack(runs[::-1], tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_nothing_is_overwritten(runs: tuple[RunResult, ...], tmp_path: Path) -> None:
    archive = tmp_path / "runs.zip"
    archive.write_text("mine")
    with pytest.raises(ConfigError, match=r"runs\.zip exists"):
        pack(runs, archive)
    assert archive.read_text() == "mine"


def test_a_damaged_run_is_not_packed(runs: tuple[RunResult, ...], tmp_path: Path) -> None:
    (runs[0].path / "predictions-tte.parquet").unlink()
    with pytest.raises(DataError, match="predictions-tte"):
        pack(runs, tmp_path / "runs.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_at_least_one_run_is_packed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no finished run"):
        pack([], tmp_path / "runs.zip")
