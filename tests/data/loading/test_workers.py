from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from torch.utils.data import DataLoader, Dataset

from ltbench.data.loading.workers import started


class Numbers(Dataset[int]):
    """Numbers whose last one ends the worker as the system does when memory is short."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> int:
        if index == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return index


def batches() -> Iterator[int]:
    return started(DataLoader(Numbers(), batch_size=None, num_workers=1, prefetch_factor=1))


def test_the_handler_of_worker_ends_is_kept() -> None:
    before = signal.getsignal(signal.SIGCHLD)
    assert int(next(batches())) == 0
    assert signal.getsignal(signal.SIGCHLD) == before


@pytest.mark.full
def test_a_killed_worker_is_found() -> None:
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(batches())
