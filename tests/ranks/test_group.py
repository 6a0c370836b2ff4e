"""Shares of a batch, and the group of one process."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltbench.engine.training.train_loader import _own_rows, _slices, own_inputs
from ltbench.ranks.group import SINGLE, Group


class Rank(Group):
    """One of several processes, without the others."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 64])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_shares_are_contiguous_and_differ_by_one_at_most(count: int, size: int) -> None:
    shares = Rank(0, size).shares(count)
    assert [row for share in shares for row in range(share.start, share.stop)] == list(range(count))
    lengths = [share.stop - share.start for share in shares]
    assert lengths == sorted(lengths, reverse=True)
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(("count", "parts"), [(37, 3), (1, 1), (2, 4), (5, 2), (64, 1)])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_processes_compute_each_row_of_a_batch(count: int, parts: int, size: int) -> None:
    groups = [Rank(rank, size) for rank in range(size)]
    rows = [_own_rows(count, parts, group) for group in groups]
    assert set(np.concatenate(rows).tolist()) == set(range(count))
    for group, own in zip(groups, rows, strict=True):
        found = own_inputs(torch.arange(count), parts, group)
        assert torch.cat(found).tolist() == own.tolist()
        assert all(len(one) for one in found)  # a model takes no empty batch
        assert len(found) == len(_slices(count, parts, group))


def test_one_process_has_everything() -> None:
    rows = torch.arange(4)
    assert SINGLE.gather(rows, 4) is rows
    assert SINGLE.gather_parts((rows,)) == [(rows,)]
    assert SINGLE.gather_parts(None) == []
    assert SINGLE.broadcast({"a": 1}) == {"a": 1}
    assert [SINGLE.some(flag) for flag in (True, False)] == [True, False]
    assert _own_rows(5, 2, SINGLE).tolist() == [0, 1, 2, 3, 4]
