"""Errors of libraries that run out of memory, as one error with a hint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ltbench.errors import OutOfMemoryError, is_out_of_memory

_ACCUMULATE = (
    "--accumulate 4 puts a quarter of each batch through the model at a time, with the same result "
    "up to rounding"
)


@contextmanager
def memory_explained(hint: str = _ACCUMULATE) -> Iterator[None]:
    """Converts the errors of libraries that run out of memory into one with a hint.

    Args:
        hint: Hint of the error.

    Raises:
        OutOfMemoryError: A library ran out of memory.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        where = "the GPU" if isinstance(error, torch.OutOfMemoryError) else "this machine"
        raise OutOfMemoryError(
            f"out of memory on {where}",
            hint=hint,
        ) from error
