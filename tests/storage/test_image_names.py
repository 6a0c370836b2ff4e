"""Names of images beside the predictions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ltbench.errors import DataError
from ltbench.storage.image_names import names_column, read_names
from ltbench.storage.predictions import Predictions
from tests.storage.test_predictions import ABOUT, made

NAMES = ["a/1.jpg", "b/ä.jpg", "", "a/1.jpg", "x", "y", "z"]


@pytest.mark.parametrize(
    "given", [NAMES, pa.array(NAMES), pa.chunked_array([NAMES[:3], NAMES[3:]])]
)
def test_names_survive_the_file(tmp_path: Path, given: Iterable[str]) -> None:
    path = tmp_path / "p.parquet"
    made().write(path, ABOUT, given)
    assert read_names(path).to_pylist() == NAMES
    assert np.array_equal(Predictions.read(path).labels, made().labels)


def test_a_part_of_an_array_is_stored_as_its_copy(tmp_path: Path) -> None:
    part = pa.array(["before", *NAMES, "after"])[1:-1]
    made().write(tmp_path / "p.parquet", ABOUT, part)
    assert read_names(tmp_path / "p.parquet").to_pylist() == NAMES


def test_a_name_that_is_not_unicode_is_escaped(tmp_path: Path) -> None:
    made().write(tmp_path / "p.parquet", ABOUT, ["\udce4", *NAMES[1:]])
    assert read_names(tmp_path / "p.parquet").to_pylist()[0] == "\\udce4"


def test_a_file_of_an_earlier_version_has_none(tmp_path: Path) -> None:
    made().write(tmp_path / "p.parquet", ABOUT)
    assert read_names(tmp_path / "p.parquet") is None


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["other", *NAMES[1:]]),
        pa.array([None, *NAMES[1:]]),
        pa.array(range(7)),
        None,
    ],
)
def test_damaged_names_are_an_error_of_their_own(tmp_path: Path, column: pa.Array | None) -> None:
    path = tmp_path / "p.parquet"
    made().write(path, ABOUT, NAMES)
    table = pq.read_table(path)
    place = table.schema.get_field_index("image")
    metadata = table.schema.metadata
    table = table.remove_column(place)
    if column is not None:
        table = table.append_column("image", column)
    pq.write_table(table.replace_schema_metadata(metadata), path)
    with pytest.raises(DataError, match="names of the images in"):
        read_names(path)
    assert np.array_equal(Predictions.read(path).labels, made().labels)


def test_names_that_are_small_in_the_file_alone_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    count = 3_000
    long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), ["a" * 400_000])
    table = pa.table({"image": long}).replace_schema_metadata({"checksum.image": "0"})
    pq.write_table(table, path, compression="zstd")
    with pytest.raises(DataError, match="too long"):
        read_names(path)


def test_names_are_a_column_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a.png", "", "ü.png", "\udcff.png"]
    column = names_column(names)
    column.validate(full=True)
    assert column.to_pylist() == ["a.png", "", "ü.png", "\\udcff.png"]
    assert names_column([]).to_pylist() == []
    monkeypatch.setattr("ltbench.storage.image_names._LARGEST_COLUMN", 20)
    with pytest.raises(DataError, match="expected at most 20 bytes, got 21"):
        names_column(names)


def test_predictions_are_written_without_pandas(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\n"
        "from ltbench.storage.predictions import Predictions\n"
        "labels, logits = np.array([1, 0]), np.array([[2, 1], [3, 1]], np.float32)\n"
        "classes, about = np.array([[1, 0], [0, 1]]), {'hash': 'a', 'inference': 'b'}\n"
        "found = Predictions(np.arange(2), labels, classes, logits, logits.max(1) + 1)\n"
        f"found.write(Path({str(tmp_path / 'file')!r}), about, ['a.png', 'b.png'])\n"
        "sys.exit('pandas' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
