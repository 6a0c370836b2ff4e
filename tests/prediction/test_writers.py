"""Files of predictions: whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ltbench.errors import RunError
from ltbench.prediction import writers
from ltbench.prediction.prediction_table import PredictionRow, SkippedImage
from ltbench.prediction.writers import JsonObject, PredictionWriter, csv_file, parquet_file

ROWS = [
    PredictionRow("=a\udcff.png", [2, 0], ["=cat", "ant"], [0.1 + 0.2, 1e-300]),
    PredictionRow("b,\n.png", [0, 2], ["ant", "=cat"], [1.0, 0.0]),
]
NAMES = ["path", "class", "class_id", "probability", "class_2", "class_id_2", "probability_2"]
Opened = Callable[[Path], AbstractContextManager[PredictionWriter]]
KINDS: dict[str, Opened] = {
    "csv": lambda path: csv_file(path, 2),
    "parquet": lambda path: parquet_file(path, 2, {"hash": "abc"}),
}


def test_a_csv_file_has_exact_numbers_and_no_formulas(tmp_path: Path) -> None:
    path = tmp_path / "new/out.csv"
    with csv_file(path, 2) as writer:
        writer.write(ROWS[:1])
        writer.write(ROWS[1:])
        assert not path.exists()
    first, *rows = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
    assert first == NAMES
    assert rows[0] == ["'=a?.png", "'=cat", "2", "0.30000000000000004", "ant", "0", "1e-300"]
    assert rows[1] == ["b, .png", "ant", "0", "1.0", "'=cat", "2", "0.0"]


def test_a_parquet_file_is_written_in_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_ROWS_PER_GROUP", 1)
    with parquet_file(tmp_path / "out.parquet", 2, {"hash": "abc"}) as writer:
        writer.write(ROWS[:1])
        writer.write(ROWS[1:])
    file = pq.ParquetFile(tmp_path / "out.parquet")
    assert file.num_row_groups == 2
    assert file.schema_arrow.metadata[b"hash"] == b"abc"
    first, second = file.read().to_pylist()
    assert list(first.values()) == ["=a?.png", "=cat", 2, 0.1 + 0.2, "ant", 0, 1e-300]
    assert second["path"] == "b,\n.png"


def test_a_json_object_is_written_in_parts() -> None:
    out = io.StringIO()
    writer = JsonObject(out, {"run": "runs/a", "prior": None})
    writer.write(ROWS[:1])
    writer.write(ROWS[1:])
    writer.close([SkippedImage(3, "c\udcff.png", "it is empty")])
    found = json.loads(out.getvalue())
    assert list(found) == ["run", "prior", "predictions", "images", "skipped"]
    assert found["images"] == 2
    assert found["predictions"][0]["path"] == "=a?.png"
    assert found["predictions"][0]["classes"][0] == {
        "class": "=cat",
        "class_id": 2,
        "probability": 0.1 + 0.2,
    }
    assert found["skipped"] == [{"path": "c?.png", "reason": "it is empty"}]


@pytest.mark.parametrize("kind", KINDS)
def test_after_an_error_the_earlier_file_is_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out"
    path.write_text("before")

    def broken() -> None:
        with KINDS[kind](path) as writer:
            writer.write(ROWS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert [one.read_text() for one in tmp_path.iterdir()] == ["before"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_vanishes_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "new/out"

    def written() -> None:
        with KINDS[kind](path) as writer:
            writer.write(ROWS)
            shutil.rmtree(path.parent)

    with pytest.raises(RunError, match="new was deleted or moved"):
        written()
