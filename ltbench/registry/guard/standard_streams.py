"""Standard streams while a plugin is loaded: stdout carries results only."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from typing import Any, TextIO

_DESCRIPTORS = {"stdin": 0, "stdout": 1, "stderr": 2}
_STREAMS = (*_DESCRIPTORS, "__stdin__", "__stdout__", "__stderr__")


@contextmanager
def away_from_stdout(harm: list[str]) -> Iterator[None]:
    """Redirects what is written to stdout, by Python or C code, to stderr.

    Args:
        harm: List that receives predicates of what the block does to the streams.
    """
    before = {name: getattr(sys, name) for name in _STREAMS}
    _flush(before)
    try:
        with ExitStack() as stack:
            for number in _DESCRIPTORS.values():
                stack.enter_context(_restored(number))
            with suppress(OSError):  # stderr is closed
                os.dup2(2, 1)
            try:
                with redirect_stdout(sys.stderr):
                    yield
            finally:
                _flush(before)
    finally:
        harm += [f"closes sys.{name}" for name in _closed(before) if name in _DESCRIPTORS]


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


def _flush(streams: Mapping[str, Any]) -> None:
    """Writes what is buffered by Python's streams and by C's."""
    for stream in streams.values():
        with suppress(OSError, ValueError, AttributeError):  # a closed stream, or none
            stream.flush()
    ctypes.CDLL(None).fflush(None)


def _closed(before: Mapping[str, Any]) -> list[str]:
    """Restores the streams of `sys`, and returns the names of those that had to be opened anew."""
    closed = [name for name, stream in before.items() if getattr(stream, "closed", False)]
    for name, stream in before.items():
        setattr(sys, name, _opened(name.strip("_")) if name in closed else stream)
    return closed


def _opened(name: str) -> TextIO:
    """Returns a new stream in the place of one that was closed."""
    number = _DESCRIPTORS[name]
    return open(number, "w" if number else "r", errors="replace", closefd=False)
