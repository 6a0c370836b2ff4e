"""Floating-point operations of what really runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from torch.utils.flop_counter import FlopCounterMode


def count(run: Callable[[], object]) -> int:
    """Returns the operations of the matrix products, convolutions and attention in a run.

    A product of (m, k) and (k, n) takes 2 m k n. Frozen weights have no gradient, and none is
    counted. What `torch.compile` would fuse runs unfused here, so that it can be seen.
    """
    with _uncompiled(), FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


def _uncompiled() -> AbstractContextManager[object]:
    if "torch._dynamo" not in sys.modules:  # nothing is compiled; its import takes seconds
        return nullcontext()
    import torch

    stance: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance
