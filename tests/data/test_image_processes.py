"""Work on images in processes: see the checks of `data verify --deep` and of surveys."""

from __future__ import annotations

import numpy as np

from ltbench.data.image_processes import map_images
from ltbench.data.images import ArrayImages, ImageSource


def brightest(images: ImageSource, indices: range) -> list[int]:
    return [int(images.read(index).max()) for index in indices]


def test_every_image_is_seen_once() -> None:
    pixels = (np.arange(300) % 251).astype(np.uint8)
    pictures = np.broadcast_to(pixels[:, None, None, None], (300, 2, 2, 3))
    sources = {"a": ArrayImages(np.array(pictures)), "b": ArrayImages(np.array(pictures[:3]))}
    done: list[int] = []
    found: dict[str, list[int]] = {"a": [], "b": []}
    for name, values in map_images(sources, brightest, 1, done.append):
        found[name] += values
    assert sorted(found["a"]) == sorted(pixels.tolist())
    assert found["b"] == [0, 1, 2]
    assert sum(done) == 303
