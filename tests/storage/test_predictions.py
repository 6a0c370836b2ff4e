from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ltbench.errors import DataError
from ltbench.storage.predictions import PredictedClasses, Predictions

ABOUT = {"hash": "0123456789ab", "inference": "tte", "split": "test"}


def made(classes: int = 3) -> Predictions:
    random = np.random.default_rng(0)
    logits = -np.sort(-random.normal(size=(7, classes)).astype(np.float32), axis=1)
    order = random.permuted(np.tile(np.arange(classes), (7, 1)), axis=1)
    return Predictions(
        np.arange(7), np.arange(7) % classes, order, logits, np.logaddexp.reduce(logits, axis=1)
    )


def test_predictions_survive_the_file(tmp_path: Path) -> None:
    stored = made()
    stored.write(tmp_path / "p.parquet", ABOUT)
    read = Predictions.read(tmp_path / "p.parquet")
    for name in ("indices", "labels", "classes", "logits", "log_sum_exp"):
        assert np.array_equal(getattr(read, name), getattr(stored, name))
        assert getattr(read, name).dtype == getattr(stored, name).dtype
    assert np.allclose(read.confidence, np.exp(stored.logits[:, 0] - stored.log_sum_exp))
    assert read.about == {**ABOUT, "format": "2"}
    alone = PredictedClasses.read(tmp_path / "p.parquet")
    for name in ("indices", "labels", "predicted"):
        assert np.array_equal(getattr(alone, name), getattr(stored, name))
        assert getattr(alone, name).dtype == np.int64
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


@pytest.mark.parametrize("content", [None, b"", b"no parquet", b"PAR1" + bytes(40) + b"PAR1"])
def test_a_broken_file_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "p.parquet"
    if content is not None:
        path.write_bytes(content)
    for read in (Predictions.read, PredictedClasses.read):
        with pytest.raises(DataError, match=r"p\.parquet.*cannot be read") as raised:
            read(path)
        assert "ltbench eval" in raised.value.hint


def test_negative_and_missing_columns_are_errors(tmp_path: Path) -> None:
    for columns in ({"index": [0], "label": [1]}, {"index": [0], "label": [1], "prediction": [-1]}):
        pq.write_table(pa.table(columns), tmp_path / "p.parquet")
        with pytest.raises(DataError, match="cannot be read"):
            PredictedClasses.read(tmp_path / "p.parquet")


def test_one_class_has_no_others(tmp_path: Path) -> None:
    made(1).write(tmp_path / "p.parquet", ABOUT)
    read = Predictions.read(tmp_path / "p.parquet")
    assert read.classes.tolist() == [[0]] * 7
    assert PredictedClasses.read(tmp_path / "p.parquet").predicted.tolist() == [0] * 7


def test_nothing_is_stored_twice(tmp_path: Path) -> None:
    made().write(tmp_path / "p.parquet", ABOUT)
    columns = pq.read_table(tmp_path / "p.parquet")
    assert columns.column_names == [
        *("index", "label", "prediction", "other_classes", "top_logits", "log_sum_exp"),
    ]
    assert columns["other_classes"].type.list_size == 2


@pytest.mark.parametrize(
    "column", ["index", "label", "prediction", "other_classes", "top_logits", "log_sum_exp"]
)
def test_a_column_that_is_not_what_was_written_is_an_error(tmp_path: Path, column: str) -> None:
    """Of the same length and type, in a file that is as sound as before."""
    path = tmp_path / "p.parquet"
    made().write(path, ABOUT)
    table = pq.read_table(path)
    place = table.column_names.index(column)
    turned = table[column].take(pa.array([1, 0, 2, 3, 4, 5, 6]))
    pq.write_table(table.set_column(place, table.field(column), turned), path)
    assert pq.read_table(path).schema.metadata[b"hash"] == b"0123456789ab"
    with pytest.raises(DataError, match=f"its column {column} is not what was written"):
        Predictions.read(path)
    if column in ("index", "label", "prediction"):
        with pytest.raises(DataError, match=f"its column {column} is not what was written"):
            PredictedClasses.read(path)


def earlier(path: Path, **changed: list[int]) -> None:
    """Writes a file as it was before there were checksums."""
    predictions = made()
    columns: dict[str, object] = {
        "index": predictions.indices,
        "label": predictions.labels,
        "prediction": predictions.predicted,
        "top_classes": pa.FixedSizeListArray.from_arrays(
            pa.array(predictions.classes.astype(np.int32).ravel()), 3
        ),
        "top_logits": pa.FixedSizeListArray.from_arrays(pa.array(predictions.logits.ravel()), 3),
        "log_sum_exp": predictions.log_sum_exp,
    }
    pq.write_table(pa.table(columns | changed).replace_schema_metadata(ABOUT), path)


def test_earlier_files_load(tmp_path: Path) -> None:
    earlier(tmp_path / "p.parquet")
    read, expected = Predictions.read(tmp_path / "p.parquet"), made()
    for name in ("indices", "labels", "classes", "logits", "log_sum_exp"):
        assert np.array_equal(getattr(read, name), getattr(expected, name))
    alone = PredictedClasses.read(tmp_path / "p.parquet")
    assert np.array_equal(alone.predicted, expected.predicted)
    assert read.about == ABOUT


def test_columns_of_an_earlier_file_that_contradict_each_other_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    earlier(path, prediction=[0] * 7)
    for read in (Predictions.read, PredictedClasses.read):
        with pytest.raises(DataError, match="prediction and top_classes contradict each other"):
            read(path)


def test_a_later_format_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    made().write(path, ABOUT)
    table = pq.read_table(path)
    later = table.replace_schema_metadata({**table.schema.metadata, b"format": b"3"})
    pq.write_table(later, path)
    with pytest.raises(DataError, match="expected format 2, got 3"):
        PredictedClasses.read(path)
