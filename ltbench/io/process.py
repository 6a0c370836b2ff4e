"""State of the process that every run needs: streams, a working folder, threads that sleep."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ltbench.errors import ConfigError


def open_closed_streams() -> None:
    """Opens the null device in the place of standard streams that the parent process closed.

    Otherwise the next file that is opened gets such a descriptor, and messages are written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115


def expect_working_folder() -> None:
    """Checks that the working folder exists: libraries end the process where it was deleted.

    Raises:
        ConfigError: It was deleted.
    """
    try:
        os.getcwd()  # noqa: PTH109
    except OSError as error:
        raise ConfigError(
            f"the working folder cannot be used: {error.strerror}",
            hint="it was deleted or moved; change to another one",
        ) from error


def let_waiting_threads_sleep() -> None:
    """Lets waiting OpenMP threads sleep soon, unless the user has chosen otherwise.

    By default they spin for long, and another program on one of the cores then slows a run down
    thirty-fold. It has an effect until torch is imported.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def python_command(module: str) -> tuple[str, ...]:
    """Returns the command that runs a module with the import path of this process."""
    # Without -P, Python would import modules from the working directory first.
    in_path = sys.path[:1] in ([""], [str(Path.cwd())])
    return (sys.executable, *(() if in_path else ("-P",)), "-m", module)
