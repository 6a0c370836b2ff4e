"""Timer of a loop's steps and of their phases."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

_Batch = TypeVar("_Batch")
REST = "bookkeeping"  # time outside of all named phases
DATA = ("data", "decode", "augment", "transfer")
"""Phases in which the loop waits for images."""


class Meter:
    """Timer of some steps of a foreign loop, by the batches that the loop requests.

    A step is the time from the request of its batch to the next request. The time of a nested phase
    is subtracted from the outer one, so that the shares of a step sum to 1.

    Args:
        device: Device that is synchronised at the start and the end.
        warmup: Number of steps that are not timed.
        steps: Number of timed steps.
        shares: Whether a GPU is synchronised at each change of phase: the shares are then right,
            but the total time is longer.
    """

    def __init__(self, device: torch.device, warmup: int, steps: int, shares: bool) -> None:
        self.device = device
        self.warmup = warmup
        self.steps = steps
        self.shares = shares
        self.seconds = 0.0
        self.phases: defaultdict[str, float] = defaultdict(float)
        self._running = False
        self._phase = REST
        self._since = self._start = 0.0

    def batches(self, source: Iterator[_Batch]) -> Iterator[_Batch]:
        """Yields the batches of the warm-up and of the timed steps."""
        for number in range(self.warmup + self.steps):
            if number == self.warmup:
                self._begin()
            with self.phase("data"):
                batch = next(source)
            yield batch
        self._end()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Assigns the time of the block to a phase."""
        outer = self._phase
        self._turn(name)
        try:
            yield
        finally:
            self._turn(outer)

    def of(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a function whose calls are assigned to a phase."""

        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.phase(name):
                return function(*arguments, **named)

        return timed

    def patch(self, owner: Any, attribute: str, name: str, within: str = "") -> None:
        """Replaces a function of an object so that its calls are assigned to a phase.

        Args:
            owner: Module or class that has the function.
            attribute: Name of the function there.
            name: Name of the phase.
            within: Phase in which calls are assigned; empty: all calls.
        """
        function = getattr(owner, attribute)
        timed = self.of(name, function)

        @functools.wraps(function)
        def patched(*arguments: Any, **named: Any) -> Any:
            chosen = function if within and within != self._phase else timed
            return chosen(*arguments, **named)

        setattr(owner, attribute, patched)

    def report(self, batch_size: int) -> dict[str, Any]:
        """Returns images per second, seconds per step and, with `shares`, each phase's share."""
        speed = {
            "images_per_second": batch_size * self.steps / self.seconds,
            "step_seconds": self.seconds / self.steps,
        }
        if not self.shares:
            return speed
        total = sum(self.phases.values())
        shares = {name: seconds / total for name, seconds in self.phases.items()}
        waited = sum(shares.get(name, 0.0) for name in (*DATA, REST))
        return {**speed, "shares": shares, "overhead": waited}

    def _turn(self, name: str) -> None:
        if self.shares:
            wait(self.device)
        now = time.perf_counter()
        if self._running:
            self.phases[self._phase] += now - self._since
        self._phase, self._since = name, now

    def _begin(self) -> None:
        wait(self.device)
        self._start = self._since = time.perf_counter()
        self._running = True

    def _end(self) -> None:
        wait(self.device)
        self._turn(self._phase)
        self._running = False
        self.seconds = time.perf_counter() - self._start


def wait(device: torch.device) -> None:
    """Synchronises a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
