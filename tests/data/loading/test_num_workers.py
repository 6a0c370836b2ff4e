from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from ltbench.data import ArrayImages, FileImages, Split
from ltbench.data.loading.num_workers import choose_workers, measure_read_seconds, usable_cores


def split_of(folder: Path, broken: int) -> Split:
    names = [f"{index}.png" for index in range(40)]
    for index, name in enumerate(names):
        if index < broken:
            (folder / name).write_bytes(b"")
        else:
            Image.new("RGB", (20, 30)).save(folder / name)
    return Split(FileImages(folder, pa.array(names)), np.zeros(40, np.int64))


@pytest.mark.parametrize(
    ("reading", "learning", "cores", "workers", "reason"),
    [
        (0.0012, 0.1, 2, 1, "an image is read in 1.2 ms, the model takes 100 ms"),
        (0.0012, 0.0005, 8, 3, "an image is read in 1.2 ms, the model takes 0.5 ms"),
        (0.01, 0.01, 8, 2, "an image is read in 10 ms, the model takes 10 ms"),
        (
            *(0.01, 0.001, 8, 8),
            "an image is read in 10 ms, the model takes 1 ms, there are no more cores",
        ),
    ],
)
def test_the_fewest_workers_that_keep_up(
    reading: float, learning: float, cores: int, workers: int, reason: str
) -> None:
    assert choose_workers(reading, learning, cores) == (workers, reason)


@pytest.mark.parametrize("broken", [0, 20, 30])
def test_reading_is_timed_and_what_is_corrupt_is_not(tmp_path: Path, broken: int) -> None:
    seconds = measure_read_seconds(split_of(tmp_path, broken), 8)
    assert seconds is not None
    assert 0 < seconds < 1


def test_what_is_not_read_takes_no_time(tmp_path: Path) -> None:
    assert measure_read_seconds(split_of(tmp_path, 40), 8) is None
    pixels = np.zeros((5, 8, 8, 3), np.uint8)
    assert measure_read_seconds(Split(ArrayImages(pixels), np.zeros(5, np.int64)), 8) is None


def test_a_core_can_be_used() -> None:
    assert usable_cores() >= 1
