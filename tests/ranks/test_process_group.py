"""Collectives between forked processes."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ltbench.errors import DataError, LTBenchError
from ltbench.ranks.group import Group
from ltbench.ranks.join import joined
from ltbench.ranks.place import Place

pytestmark = pytest.mark.full


def gathered(group: Group) -> Any:
    """A sum of squares over five rows, of which each process computes some."""
    weight = nn.Parameter(torch.tensor([2.0]))
    rows = torch.arange(1.0, 6.0)[group.share(5)]
    every = group.gather(rows * weight, 5)
    (every.square().sum() / 5).backward()
    alone, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    if group.leads:
        alone.grad = torch.ones(2)
    group.sum_gradients([weight, alone, unused])
    assert weight.grad is not None
    assert alone.grad is not None
    return every.tolist(), weight.grad.tolist(), alone.grad.tolist(), unused.grad


def empty_share(group: Group) -> Any:
    """One row, of which the others compute a filler."""
    weight = nn.Parameter(torch.tensor([3.0]))
    every = group.gather(torch.tensor([7.0]) * weight, 1)
    every.sum().backward()
    group.sum_gradients([weight])
    assert weight.grad is not None
    return every.tolist(), weight.grad.tolist()


def values(group: Group) -> Any:
    parts = None if group.rank == 1 else (torch.full((group.rank + 1, 2), group.rank),)
    found = [columns[0].tolist() for columns in group.gather_parts(parts)]
    tensor = torch.tensor([float(group.rank)])
    group.synchronise([tensor])
    torch.manual_seed(0)
    with group.own_random(1):
        own = float(torch.rand(()))
    told = group.collect([group.rank, own])
    return (
        found,
        tensor.tolist(),
        [one[0] for one in told],
        len({one[1] for one in told}),
        float(torch.rand(())),
        group.broadcast(f"rank {group.rank}"),
        [group.some(group.rank == 2), group.some(False)],
    )


def failing(group: Group) -> Any:
    """The last rank fails while the others wait for it."""
    try:
        with group.agreed():
            if group.rank == group.size - 1:
                raise DataError("an image is damaged", hint="replace it")
            group.gather(torch.ones(1), group.size)
    except LTBenchError as error:
        return type(error).__name__, error.message, error.hint
    return None


def failing_late(group: Group) -> Any:
    """The leading rank fails after the last exchange, with an error of a library."""
    try:
        with group.agreed():
            group.lead(int, "no number")
    except (ValueError, LTBenchError) as error:
        return type(error).__name__, str(error).partition(":")[0]
    return None


def _main(work: Callable[[Group], Any], place: Place, results: Any) -> None:
    torch.set_num_threads(1)
    with joined(place, "cpu") as (group, _):
        results.put((group.rank, work(group)))


def in_processes(work: Callable[[Group], Any], size: int, folder: Path) -> list[Any]:
    """Result of each rank."""
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    url = f"file://{folder}/meeting"
    places = [Place(rank, size, rank, size, url, launched=False) for rank in range(size)]
    processes = [
        context.Process(target=_main, args=(work, one, results), daemon=True) for one in places
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # libraries have idle threads
        for process in processes:
            process.start()
    found = dict(results.get(timeout=120) for _ in processes)
    for process in processes:
        process.join()
    return [found[rank] for rank in range(size)]


def test_gradients_of_shares_sum_to_that_of_the_whole(tmp_path: Path) -> None:
    # sum of (2 r)^2 / 5: its derivative is 2 * 2 * (1 + 4 + 9 + 16 + 25) / 5
    expected = ([2.0, 4.0, 6.0, 8.0, 10.0], [44.0], [1.0, 1.0], None)
    assert in_processes(gathered, 3, tmp_path) == [expected] * 3


def test_a_filler_counts_nothing(tmp_path: Path) -> None:
    assert in_processes(empty_share, 2, tmp_path) == [([21.0], [7.0])] * 2


def test_values_are_exchanged(tmp_path: Path) -> None:
    found = in_processes(values, 3, tmp_path)
    torch.manual_seed(0)
    rows = [[[0, 0]], [[2, 2]] * 3]
    shared = float(torch.rand(()))
    expected = (rows, [0.0], [0, 1, 2], 3, shared, "rank 0", [True, False])
    assert found == [expected] * 3


def test_an_error_of_one_rank_is_that_of_all(tmp_path: Path) -> None:
    expected = ("DataError", "an image is damaged", "replace it")
    assert in_processes(failing, 3, tmp_path) == [expected] * 3


def test_an_error_after_the_last_exchange_is_that_of_all(tmp_path: Path) -> None:
    found = in_processes(failing_late, 2, tmp_path)
    assert found[0] == ("ValueError", "invalid literal for int() with base 10")
    assert found[1] == ("RunError", "ValueError")
