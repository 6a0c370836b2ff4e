"""Floating-point operations that a run really computes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from torch.utils.flop_counter import FlopCounterMode


def count(run: Callable[[], object]) -> int:
    """Returns the operations of the matrix products, convolutions and attention in a call.

    A product of (m, k) and (k, n) takes 2 m k n. Frozen weights have no gradient, which is not
    counted. Functions compiled by `torch.compile` run unfused here, so that all are counted.
    """
    with _uncompiled(), FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


def _uncompiled() -> AbstractContextManager[object]:
    if "torch._dynamo" not in sys.modules:  # nothing is compiled, and the import takes seconds
        return nullcontext()
    import torch

    stance: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance
