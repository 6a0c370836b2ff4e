"""Data loader of the peers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset


def loader_of(
    images: Dataset[Any], batch_size: int, workers: int, device: torch.device
) -> DataLoader[Any]:
    """Returns the usual loader: shuffled whole batches, workers, pinned for a GPU."""
    return DataLoader(
        images,
        batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
    )


def endless(loader: Any) -> Iterator[Any]:
    """Yields a loader's batches, epoch after epoch."""
    while True:
        yield from loader
