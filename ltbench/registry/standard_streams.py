"""Standard streams while a plugin is loaded: stdout carries results only."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress

_STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}


@contextmanager
def away_from_stdout(harm: list[str]) -> Iterator[None]:
    """Redirects what is written to stdout, by Python or C code, to stderr.

    Args:
        harm: List that receives predicates of what the block does to the streams.
    """
    _flush()
    with ExitStack() as stack:
        for number in _STREAMS.values():
            stack.enter_context(_restored(number))
        with suppress(OSError):  # both are closed
            os.dup2(2, 1)
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            _flush()
    harm += [f"closes sys.{name}" for name in _STREAMS if _reopened(name)]


@contextmanager
def _restored(number: int) -> Iterator[None]:
    """Restores a descriptor, whether the block replaces or closes it."""
    try:
        copy = os.dup(number)
    except OSError:  # closed by the parent process
        yield
        return
    try:
        yield
    finally:
        os.dup2(copy, number)
        os.close(copy)


def _flush() -> None:
    """Writes what is buffered by Python's streams and by C's."""
    for stream in (sys.stdout, sys.__stdout__):
        with suppress(OSError, ValueError, AttributeError):  # a closed stream, or another object
            stream.flush()  # type: ignore[union-attr]
    ctypes.CDLL(None).fflush(None)


def _reopened(name: str) -> bool:
    """Opens a standard stream again if it was closed; returns whether it was."""
    if not getattr(getattr(sys, name), "closed", False):
        return False
    number = _STREAMS[name]
    stream = open(number, "w" if number else "r", errors="replace", closefd=False)  # noqa: SIM115
    for one in (name, f"__{name}__"):
        if getattr(getattr(sys, one), "closed", False):
            setattr(sys, one, stream)
    return True
