"""Options of verbs that several processes can execute together."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Self

import typer

from ltbench.cli.options import MACHINE
from ltbench.errors import ConfigError
from ltbench.ranks.place import Place, read_place

if TYPE_CHECKING:
    from ltbench.progress import ProgressReporter
    from ltbench.ranks.group import Group

Ranks = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Processes on the CPU that share the images of each batch out; see `ltbench docs "
        "ranks`.",
        rich_help_panel=MACHINE,
        show_default=False,
    ),
]
Gpus = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="GPUs that share the images of each batch out, with a process each.",
        rich_help_panel=MACHINE,
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Processes:
    """Processes that execute a command together.

    Args:
        size: Their number.
        device: Device of this process: "auto", "cpu", "cuda", "cuda:1", ...
        place: Place of this process among them; None where it starts them, or is alone.
    """

    size: int
    device: str
    place: Place | None

    @classmethod
    def of(cls, ranks: int | None, gpus: int | None, device: str) -> Self:
        """Returns the processes that options ask for, or that a launcher has started.

        Args:
            ranks: Value of `--ranks`.
            gpus: Value of `--gpus`.
            device: Value of `--device`.

        Raises:
            ConfigError: The options contradict each other, the launcher, or the machine.
        """
        place, size = read_place(), ranks or gpus
        if ranks is not None and gpus is not None:
            raise ConfigError("--ranks and --gpus: expected one of them, got both")
        if ranks is not None and device not in ("auto", "cpu"):
            raise ConfigError(
                f"--ranks: its processes are on the CPU, but --device is {device}",
                hint="give --gpus instead",
            )
        if gpus is not None and device not in ("auto", "cuda"):
            raise ConfigError(
                f"--gpus: expected --device cuda or none, got {device}",
                hint="give --ranks for processes on the CPU; CUDA_VISIBLE_DEVICES chooses GPUs",
            )
        if place is not None and size not in (None, place.size):
            raise ConfigError(
                f"the launcher has started {place.size} ranks, but the command asks for {size}",
                hint="leave --ranks and --gpus out where torchrun starts the processes",
            )
        if ranks is not None:
            device = "cpu"
        if gpus is not None:
            device = "cuda"
            _expect_gpus(gpus if place is None else place.local_size)
        return cls(place.size if place else size or 1, device, place)

    @property
    def begins(self) -> bool:
        """Whether this process is the first that reads the command, and tells about its inputs."""
        return self.place is None or (self.place.rank == 0 and not self.place.launched)

    @property
    def start(self) -> bool:
        """Whether this process starts the others, and does nothing else."""
        return self.place is None and self.size > 1

    def run(self) -> int:
        """Executes this command in all processes, and returns their exit code.

        Raises:
            RunError: A process ended without telling the others why.
        """
        from ltbench.io.process import python_command
        from ltbench.ranks.launcher import Launcher

        return Launcher((*python_command("ltbench"), *sys.argv[1:]), self.size).run()

    @contextmanager
    def joined(self) -> Iterator[tuple[Group, str]]:
        """Yields the group of the processes and the device of this one."""
        from ltbench.ranks.join import joined

        with joined(self.place, self.device) as found:
            yield found


@contextmanager
def shown(group: Group) -> Iterator[ProgressReporter]:
    """Yields the progress reporter of a process: only the leading one shows something."""
    from ltbench.progress import SILENT

    if not group.leads:
        yield SILENT
        return
    from ltbench.engine.progress_bar import show_progress

    with show_progress() as progress:
        yield progress


def _expect_gpus(count: int) -> None:
    """Checks that this machine has enough GPUs.

    Raises:
        ConfigError: It has fewer.
    """
    import torch

    found = torch.cuda.device_count()
    if found < count:
        raise ConfigError(
            f"--gpus: expected at most {found}, the GPUs of this machine, got {count}",
            hint="give --ranks for processes on the CPU, or start torchrun on several machines",
        )
