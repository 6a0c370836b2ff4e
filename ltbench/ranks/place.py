"""Place of this process among those of its run, from the environment variables of a launcher."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ltbench.errors import ConfigError

RENDEZVOUS = "LTBENCH_RENDEZVOUS"
"""Variable that `ltbench run --ranks` sets: path of the file in which its ranks meet."""

LOST = 76
"""Exit code of a rank that lost another one; the process that started both reports why."""

_REQUIRED = ("RANK", "WORLD_SIZE")
_TORCHRUN = ("MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Place:
    """Place of this process among the ranks of a run.

    Args:
        rank: Number of this process, from 0.
        size: Number of processes.
        local_rank: Number of this process among those of its machine, from 0.
        local_size: Number of processes on its machine.
        url: Place where the processes meet, as `torch.distributed` takes it.
        launched: Whether ltbench started the processes, whose parent holds the lock of the run;
            otherwise torchrun did.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int
    url: str
    launched: bool

    @property
    def last_words(self) -> Path:
        """File in which a rank that ltbench started tells why it lost the others."""
        return last_words(self.url.removeprefix("file://"), self.rank)


def last_words(rendezvous: str, rank: int) -> Path:
    """Returns the file in which a rank tells its launcher why it lost the others.

    Args:
        rendezvous: Path of the file in which the ranks meet.
        rank: Number of the process.
    """
    return Path(f"{rendezvous}-{rank}")


def read_place(variables: Mapping[str, str] = os.environ) -> Place | None:
    """Returns the place that a launcher gave this process; None for a process that is alone.

    Args:
        variables: Environment variables. Those of torchrun count where all of them are set.

    Raises:
        ConfigError: A variable is not a number, or a rank is out of its range.
    """
    launched = RENDEZVOUS in variables
    needed = (*_REQUIRED, *(() if launched else _TORCHRUN))
    if not all(name in variables for name in needed):
        return None
    rank, size = _number(variables, "RANK"), _number(variables, "WORLD_SIZE")
    local_rank = _number(variables, "LOCAL_RANK", rank)
    local_size = _number(variables, "LOCAL_WORLD_SIZE", size)
    if not (0 <= rank < size and 0 <= local_rank < local_size):
        raise ConfigError(
            f"RANK: expected 0 to {size - 1}, got {rank} (local: {local_rank} of {local_size})",
            hint="start the ranks with torchrun, or with --ranks",
        )
    if size == 1:
        return None
    url = f"file://{variables[RENDEZVOUS]}" if launched else "env://"
    return Place(rank, size, local_rank, local_size, url, launched)


def variables_of(rank: int, size: int, rendezvous: str) -> dict[str, str]:
    """Returns the environment variables of a rank that ltbench starts on this machine.

    Args:
        rank: Number of the process.
        size: Number of processes.
        rendezvous: Path of the file in which they meet.
    """
    return {
        "RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(size),
        RENDEZVOUS: rendezvous,
    }


def _number(variables: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = variables.get(name)
    if text is None and default is not None:
        return default
    try:
        return int(text or "")
    except ValueError as error:
        raise ConfigError(
            f"{name}: expected a whole number, got {text!r}",
            hint="start the ranks with torchrun, or with --ranks",
        ) from error
