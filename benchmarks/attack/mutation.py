"""Random damage to the bytes of files."""

from __future__ import annotations

import pickle
import random
from pathlib import Path


class Touch:
    """Object whose unpickling creates a file.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def pickled(executed: Path) -> bytes:
    """Returns a pickle that creates a file when it is loaded."""
    return pickle.dumps(Touch(executed))


def damaged(rng: random.Random, content: bytes) -> bytes:
    """Returns a content with one kind of damage: it may be harmless.

    Args:
        rng: Random generator.
        content: Content of a valid file.
    """
    at = rng.randrange(len(content) + 1) if content else 0
    near = rng.randrange(min(len(content), 4_096) + 1)  # most formats begin with their header
    at = rng.choice((at, near))
    size = rng.choice((1, 2, 8, 100, 5_000))
    noise = rng.choice((rng.randbytes(size), b"\0" * size, b"\xff" * size))
    kind = rng.choice(("flip", "overwrite", "insert", "remove", "cut", "repeat", "empty", "noise"))
    if kind == "flip" and at < len(content):
        return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
    if kind == "overwrite":
        return content[:at] + noise + content[at + size :]
    if kind == "insert":
        return content[:at] + noise + content[at:]
    if kind == "remove":
        return content[:at] + content[at + size :]
    if kind == "repeat":
        return content + content
    if kind == "noise":
        return rng.randbytes(len(content))
    return b"" if kind == "empty" else content[:at]
