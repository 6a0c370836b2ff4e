"""Images of files: decoded once, read by enough processes, and the same whatever does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltbench.config.resolve import resolve
from ltbench.engine.run import RuntimeConfig, execute
from ltbench.io.array_cache import NO_CACHE, Cache
from ltbench.io.sizes import GB
from ltbench.progress import SilentReporter
from ltbench.registry.registry import Registry


class Told(SilentReporter):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.stages: list[tuple[str, int]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        self.stages.append((what, images))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two classes of ten images in files of several sizes, and two test images each."""
    generator = np.random.default_rng(0)
    for split, count in (("train", 10), ("test", 2)):
        for label in ("cat", "dog"):
            folder = tmp_path / "photographs" / split / label
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = generator.integers(0, 255, (40, 50 + index, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.jpg")
    return tmp_path / "photographs"


def ran(
    registry: Registry, out: Path, photographs: Path, workers: int | None, cache: Cache
) -> tuple[Any, Told]:
    settings = {
        "dataset": "folder",
        "dataset.path": str(photographs),
        "train.epochs": 2,
        "train.batch_size": 8,
        "precision": "fp32",
    }
    resolved, told = resolve(registry, settings, out), Told()
    result = execute(resolved, registry, RuntimeConfig(out, "cpu", workers, cache), "never", told)
    folder = result.path
    (predictions,) = folder.glob("predictions-*.parquet")
    return ((folder / "learned.safetensors").read_bytes(), predictions.read_bytes()), told


@pytest.mark.full
def test_neither_workers_nor_cache_change_a_bit(
    registry: Registry, tmp_path: Path, photographs: Path
) -> None:
    expected, told = ran(registry, tmp_path / "1", photographs, 0, NO_CACHE)
    assert not any(note.startswith(("workers", "train", "test")) for note in told.notes)
    cache = Cache(tmp_path / "cache", GB)
    made, first = ran(registry, tmp_path / "2", photographs, None, cache)
    found, again = ran(registry, tmp_path / "3", photographs, 2, cache)
    assert made == expected
    assert found == expected
    assert any(note.startswith("workers: ") for note in first.notes)
    assert [note for note in first.notes if "decoded once" in note]
    assert {("looking at train", 20), ("decoding train", 20)} <= set(first.stages)
    assert [note for note in again.notes if note.startswith("train: pixels of 20 images")]
    assert not any("decoding" in stage for stage, _ in again.stages)


def test_too_little_room_is_told(registry: Registry, tmp_path: Path, photographs: Path) -> None:
    expected, _ = ran(registry, tmp_path / "1", photographs, 0, NO_CACHE)
    found, told = ran(registry, tmp_path / "2", photographs, 0, Cache(tmp_path / "c", 10_000))
    assert found == expected
    assert any("images are decoded each time" in note for note in told.notes)
