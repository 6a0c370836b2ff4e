"""Collectives of several processes over `torch.distributed`.

The wrappers of that library average gradients, so that a loss over a batch becomes a mean of losses
over shares, and change names in the state of a model. The run has its own collectives instead:
each process computes the loss of the whole batch, with the gradient through its own rows, and the
gradients are summed.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ltbench import errors
from ltbench.errors import Interrupted, LTBenchError, RankLostError, RunError, shortened
from ltbench.ranks.group import Group
from ltbench.ranks.place import Place

T = TypeVar("T")

TIMEOUT = timedelta(days=7)
"""Longest time that processes wait for one that works alone; a lost connection ends it at once."""

_MAX_SHOWN_CHARACTERS = 500  # of an error of the library


class ProcessGroup(Group):
    """Group of several processes.

    Before each collective the processes exchange whether one of them has failed, in the memory of
    the CPU: none of them waits in a collective for a process that does not come, and no device is
    synchronised.

    Args:
        place: Place of this process.
        device: Device of its tensors.

    Raises:
        RankLostError: Another process ended before all of them had met.
    """

    def __init__(self, place: Place, device: torch.device) -> None:
        self.rank, self.size, self.local_size = place.rank, place.size, place.local_size
        self.backend = "nccl" if device.type == "cuda" else "gloo"
        self.holds_lock = self.leads and not place.launched
        self._device = device
        self._ended = False
        if device.type == "cuda":
            torch.cuda.set_device(device)
        with _connected():
            dist.init_process_group(
                self.backend,
                init_method=place.url,
                rank=self.rank,
                world_size=self.size,
                timeout=TIMEOUT,
            )
            # NCCL exchanges no tensors in the memory of the CPU.
            gloo = self.backend == "gloo"
            self._control: Any = None if gloo else dist.new_group(backend="gloo", timeout=TIMEOUT)

    def close(self) -> None:
        """Ends the connections."""
        dist.destroy_process_group()

    def gather(self, rows: Tensor, count: int) -> Tensor:
        """Returns the `count` rows of all processes, with the gradient of this process's own."""
        lengths = [share.stop - share.start for share in self.shares(count)]
        own = rows[: lengths[self.rank]]
        found: list[Tensor] = [
            part[:length]
            for part, length in zip(self._gathered(own.detach(), lengths[0]), lengths, strict=True)
        ]
        found[self.rank] = own
        return torch.cat(found)

    def gather_parts(self, columns: Sequence[Tensor] | None) -> list[tuple[Tensor, ...]]:
        """Returns the columns of each process that has some, in the order of the ranks."""
        layouts: list[Any] = self.collect(None if columns is None else _layout(columns))
        known = next((one for one in layouts if one is not None), None)
        if known is None:
            return []
        lengths = [0 if one is None else one[0][0][0] for one in layouts]
        gathered = []
        for number, (shape, dtype) in enumerate(known):
            if columns is None:
                own = torch.empty(0, *shape[1:], dtype=getattr(torch, dtype), device=self._device)
            else:
                own = columns[number]
            parts = self._gathered(own, max(lengths))
            gathered.append([part[:n] for part, n in zip(parts, lengths, strict=True)])
        rows = list(zip(*gathered, strict=True))
        return [row for row, one in zip(rows, layouts, strict=True) if one is not None]

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces each gradient by the sum of those of all processes."""
        learned = list(parameters)
        # A parameter without a gradient in all processes keeps none: the optimizer skips it.
        present = [parameter.grad is not None for parameter in learned]
        pieces = [
            (torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1).float() for p in learned
        ]
        flags = torch.tensor(present, dtype=torch.float32).to(self._device, non_blocking=True)
        flat = torch.cat([*pieces, flags])
        self._ready()
        with _connected():
            dist.all_reduce(flat)
        *sums, counts = flat.split([*(len(piece) for piece in pieces), len(flags)])
        if not all(present):
            present = (counts > 0).tolist()
        for parameter, total, known in zip(learned, sums, present, strict=True):
            if not known:
                continue
            if parameter.grad is None:
                parameter.grad = torch.empty_like(parameter)
            parameter.grad.copy_(total.view_as(parameter))

    def synchronise(self, tensors: Iterable[Tensor]) -> None:
        """Writes the values of the leading process into the tensors of all others."""
        self._ready()
        with torch.no_grad(), _connected():
            for tensor in tensors:
                sent = tensor.detach().contiguous()
                dist.broadcast(sent, src=0)
                if not self.leads:
                    tensor.copy_(sent)

    def collect(self, value: T) -> list[T]:
        """Returns the value of each process, in the order of the ranks."""
        self._ready()
        return [json.loads(text) for text in self._collected(json.dumps(value))]

    def some(self, flag: bool) -> bool:
        """Returns whether the flag of some process is set."""
        return self._ready(flag)

    @contextmanager
    def own_random(self, seed: int) -> Iterator[None]:
        """Gives the block random numbers of this process's own; the shared ones stay."""
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed((seed * self.size + self.rank) % 2**63)
            yield

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """Leaves the block in all processes with the same error, or without one.

        Raises:
            RankLostError: A process ended without telling the others why.
        """
        try:
            yield
            self._ready()
        except RankLostError:
            raise
        except BaseException as error:
            if self._ended:  # it is the error of all already
                raise
            first = self._exchange(self.rank)
            agreed = self._error_of(first, error)
            if agreed is error:
                raise
            raise agreed from error

    def _gathered(self, rows: Tensor, longest: int) -> list[Tensor]:
        """Returns the rows of each process, followed by zeros up to the longest."""
        padded = rows.new_zeros(longest, *rows.shape[1:])
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        self._ready()
        if longest:
            with _connected():
                dist.all_gather(parts, padded)
        return parts

    def _collected(self, text: str) -> list[str]:
        """Returns the text of each process."""
        content = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
        length = torch.tensor([len(content)])
        lengths = [torch.zeros_like(length) for _ in range(self.size)]
        with _connected():
            dist.all_gather(lengths, length, group=self._control)
            padded = torch.zeros(int(max(lengths)), dtype=torch.uint8)
            padded[: len(content)] = content
            parts = [torch.zeros_like(padded) for _ in range(self.size)]
            dist.all_gather(parts, padded, group=self._control)
        return [
            bytes(part[: int(n)].numpy()).decode() for part, n in zip(parts, lengths, strict=True)
        ]

    def _ready(self, flag: bool = False) -> bool:
        """Waits for all processes; returns whether one of them has set its flag.

        Raises:
            LTBenchError: A process has failed: its error.
        """
        state = self._exchange(self.size if flag else self.size + 1)
        if state < self.size:
            raise self._error_of(state, None)
        return state == self.size

    def _exchange(self, state: int) -> int:
        """Returns the least state of all processes: a failed one has its rank."""
        exchanged = torch.tensor([state])
        with _connected():
            dist.all_reduce(exchanged, op=dist.ReduceOp.MIN, group=self._control)
        return int(exchanged)

    def _error_of(self, first: int, own: BaseException | None) -> BaseException:
        """Returns the error of the first rank that failed; all processes call it then."""
        self._ended = True
        texts = self._collected(json.dumps(None if own is None else _described(own)))
        if first == self.rank and own is not None:
            return own
        told = json.loads(texts[first])
        kind = getattr(errors, told["kind"], None)
        if isinstance(kind, type) and issubclass(kind, LTBenchError):
            return kind(told["message"], hint=told["hint"])
        error = RunError(
            f"{told['message']} (rank {first})", hint="`ltbench --debug ...` prints the traceback"
        )
        error.add_note(told["trace"])
        return error


def _layout(columns: Sequence[Tensor]) -> list[Any]:
    """Returns shape and dtype of tensors as JSON."""
    return [[list(one.shape), str(one.dtype).removeprefix("torch.")] for one in columns]


def _described(error: BaseException) -> dict[str, str]:
    """Returns an error as JSON."""
    known = isinstance(error, LTBenchError)
    interrupted = isinstance(error, KeyboardInterrupt)
    return {
        "kind": Interrupted.__name__ if interrupted else type(error).__name__ if known else "",
        "message": error.message if isinstance(error, LTBenchError) else _named(error),
        "hint": error.hint if isinstance(error, LTBenchError) else "",
        "trace": "" if known else "".join(traceback.format_exception(error)),
    }


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _told(error: Exception) -> str:
    """Returns the lines of a library's error, without the stack of its C++ code."""
    text = str(error).partition("\nException raised from")[0]
    return shortened(" ".join(text.split()), _MAX_SHOWN_CHARACTERS)


@contextmanager
def _connected() -> Iterator[None]:
    """Converts the errors of a collective: its other end is gone, or the library failed.

    Raises:
        RankLostError: Another process has ended, or the exchange failed in this one.
    """
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise RankLostError(
            f"an exchange with the other ranks failed: {_told(error)}",
            hint="the same command resumes the run after its last whole epoch",
        ) from error
