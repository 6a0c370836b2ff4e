from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ltbench.errors import DataError
from ltbench.predictions import Answers, Predictions


def test_predictions_survive_the_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    logits = -np.sort(-random.normal(size=(7, 3)).astype(np.float32), axis=1)
    stored = Predictions(
        np.arange(7), np.arange(7) % 3, random.permuted(np.tile(np.arange(3), (7, 1)), axis=1),
        logits, np.logaddexp.reduce(logits, axis=1),
    )  # fmt: skip
    stored.write(tmp_path / "p.parquet", {"hash": "x"})
    read = Predictions.read(tmp_path / "p.parquet")
    for name in ("indices", "labels", "classes", "logits", "log_sum_exp"):
        assert np.array_equal(getattr(read, name), getattr(stored, name))
    assert np.allclose(read.confidence, np.exp(logits[:, 0] - stored.log_sum_exp))
    answers = Answers.read(tmp_path / "p.parquet")
    for name in ("indices", "labels", "predicted"):
        assert np.array_equal(getattr(answers, name), getattr(stored, name))
        assert getattr(answers, name).dtype == np.int64
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


@pytest.mark.parametrize("content", [None, b"", b"no parquet", b"PAR1" + bytes(40) + b"PAR1"])
def test_a_broken_file_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "p.parquet"
    if content is not None:
        path.write_bytes(content)
    for read in (Predictions.read, Answers.read):
        with pytest.raises(DataError, match=r"p\.parquet.*cannot be read") as raised:
            read(path)
        assert "ltbench eval" in raised.value.hint


def test_negative_and_missing_columns_are_errors(tmp_path: Path) -> None:
    for columns in ({"index": [0], "label": [1]}, {"index": [0], "label": [1], "prediction": [-1]}):
        pq.write_table(pa.table(columns), tmp_path / "p.parquet")
        with pytest.raises(DataError, match="cannot be read"):
            Answers.read(tmp_path / "p.parquet")
