from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from PIL import Image

from ltbench.data import ArrayImages, FileImages
from ltbench.data.thumbnails import MAX_BYTES, SIDE_PIXELS, thumbnail, thumbnails


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(400, 300, (96, 128)), (90, 100, (100, 90)), (8, 8, (128, 128)), (3, 900, (128, 1))],
)
def test_sizes(height: int, width: int, size: tuple[int, int]) -> None:
    small = opened(thumbnail(noise(height, width), 10_000))
    assert (small.format, small.mode, small.size) == ("JPEG", "RGB", size)


def test_pixels_of_tiny_images_stay_sharp() -> None:
    board = np.indices((8, 8)).sum(axis=0) % 2 * 255
    small = np.asarray(
        opened(thumbnail(np.repeat(board[..., None], 3, 2).astype(np.uint8), 50_000))
    )
    inner = small[4::16, 4::16, 0]  # one pixel of each square
    assert np.abs(inner.astype(int) - board).max() < 16


def test_a_sheet_stays_within_its_limit() -> None:
    found = thumbnails(ArrayImages(np.stack([noise(500, 500)] * 24)), range(24))
    assert sum(map(len, found)) <= MAX_BYTES
    assert max(opened(each).width for each in found if isinstance(each, bytes)) == SIDE_PIXELS


def test_quality_and_then_size_are_reduced() -> None:
    sharp = noise(SIDE_PIXELS, SIDE_PIXELS)
    for limit in (20_000, 8_000, 2_000, 1_000):
        assert len(thumbnail(sharp, limit)) <= limit
    assert opened(thumbnail(sharp, 8_000)).width == SIDE_PIXELS
    assert opened(thumbnail(sharp, 2_000)).width < SIDE_PIXELS


def test_unreadable_images_have_a_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    images = FileImages(tmp_path, pa.array(["broken.jpg", "missing.jpg"]))
    broken, missing = thumbnails(images, [0, 1])
    assert "cannot be decoded" in str(broken)
    assert "does not exist" in str(missing)
