"""Group of processes that share one run out; the process of an ordinary run is a group of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from torch import Tensor, nn

T = TypeVar("T")


class Group:
    """Group of one process: each operation returns its argument.

    The methods are called by all processes of a group in the same order. An error of one process
    reaches the others in their next call, so that all of them end with it.

    Attributes:
        rank: Number of this process, from 0.
        size: Number of processes.
        local_size: Number of processes on this machine.
        backend: Library of the collectives, "gloo" or "nccl"; None for one process.
        holds_lock: Whether this process takes the lock of the run.
    """

    rank = 0
    size = 1
    local_size = 1
    backend: str | None = None
    holds_lock = True

    @property
    def leads(self) -> bool:
        """Whether this process makes the choices, writes the files and shows the progress."""
        return self.rank == 0

    def shares(self, count: int) -> list[slice]:
        """Returns the contiguous slice of `count` rows that each process has, the longest first.

        >>> Group().shares(5)
        [slice(0, 5, None)]
        """
        each, more = divmod(count, self.size)
        ends = [(rank + 1) * each + min(rank + 1, more) for rank in range(self.size)]
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]

    def share(self, count: int) -> slice:
        """Returns the slice of `count` rows that this process has."""
        return self.shares(count)[self.rank]

    def gather(self, rows: Tensor, count: int) -> Tensor:
        """Returns the `count` rows of all processes, with the gradient of this process's own.

        Args:
            rows: Rows of this process's share; rows after them are left out.
            count: Number of rows of all shares.
        """
        return rows

    def gather_parts(self, columns: Sequence[Tensor] | None) -> list[tuple[Tensor, ...]]:
        """Returns the columns of each process that has some, in the order of the ranks.

        Args:
            columns: Tensors (n, ...) of this process, n being any number; None for none.
        """
        return [] if columns is None else [tuple(columns)]

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces each gradient by the sum of those of all processes."""

    def synchronise(self, tensors: Iterable[Tensor]) -> None:
        """Writes the values of the leading process into the tensors of all others."""

    def collect(self, value: T) -> list[T]:
        """Returns the value of each process, in the order of the ranks; values are JSON."""
        return [value]

    def broadcast(self, value: T) -> T:
        """Returns the value of the leading process; values are JSON."""
        return self.collect(value)[0]

    def some(self, flag: bool) -> bool:
        """Returns whether the flag of some process is set."""
        return flag

    def lead(self, work: Callable[..., object], *arguments: object) -> None:
        """Calls a function in the leading process alone."""
        if self.leads:
            work(*arguments)

    def own_random(self, seed: int) -> AbstractContextManager[None]:
        """Returns a context with random numbers of this process's own; the shared ones stay.

        Args:
            seed: Seed that no other context of the run has.
        """
        return nullcontext()

    def agreed(self) -> AbstractContextManager[None]:
        """Returns a context that all processes leave with the same error, or without one."""
        return nullcontext()


SINGLE = Group()
"""The group of an ordinary run."""
