"""Damaged and disguised photographs in a data set of class folders."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ltbench
from benchmarks.attack.mutation import damaged, pickled
from benchmarks.attack.outcome import graceful

_FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tif"}
_SMALL = ("--epochs", "1", "--workers", "0", "--device", "cpu", "--cache", "0")


def _try_image(rng: random.Random, folder: Path) -> None:
    split, executed = rng.choice(("train", "test")), folder / "executed"
    content = _image(rng)
    hostile = rng.choice((damaged(rng, content), damaged(rng, content), _bomb(), pickled(executed)))
    _write_tree(rng, folder / "data")
    (folder / "data" / split / "a" / "bad.jpg").write_bytes(hostile)
    corrupt = rng.choice(("fail", "skip"))
    own = ("--dataset", "folder", "--set", "dataset.path=data", "--on-corrupt", corrupt)
    outcome = ltbench("run", *own, *_SMALL, "--method", "classifier_only", cwd=folder)
    # An image that is left out, or that the damage did not reach, is no error.
    graceful(outcome, codes=(0, 4))
    if outcome.code == 4 and "bad.jpg" not in outcome.err:
        raise outcome.finding("the error names the file")
    if outcome.code == 4 and corrupt == "skip" and "cannot be decoded" in outcome.err:
        raise outcome.finding("a corrupt image is left out with --on-corrupt skip")
    if executed.exists():
        raise outcome.finding("nothing is unpickled")


def _image(rng: random.Random) -> bytes:
    size = rng.choice(((40, 30), (1, 1), (500, 2), (64, 64)))
    noise = np.frombuffer(rng.randbytes(size[0] * size[1] * 3), np.uint8)
    image = Image.fromarray(noise.reshape(size[1], size[0], 3))
    file = io.BytesIO()
    image.convert(rng.choice(("RGB", "L"))).save(file, rng.choice(list(_FORMATS)))
    return file.getvalue()


def _bomb() -> bytes:
    """Returns a PNG of a few bytes that declares 60,000 by 60,000 pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        sum_of = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + sum_of

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 1_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def _write_tree(rng: random.Random, root: Path) -> None:
    """Writes two classes with different images."""
    for split in ("train", "test"):
        for label in "ab":
            to = root / split / label
            to.mkdir(parents=True)
            for number in range(2):
                noise = np.frombuffer(rng.randbytes(32 * 32 * 3), np.uint8).reshape(32, 32, 3)
                Image.fromarray(noise).save(to / f"{number}.png")


ATTACKS = (
    Attack(
        "images",
        "Damaged photographs, decompression bombs and pickles among images: left out or named",
        _try_image,
    ),
)
