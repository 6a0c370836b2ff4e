"""Other ways to compute the same step, one of which may be faster on some device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import ltbench.data.loading.batches
from benchmarks.throughput.ours import PreparedRun
from ltbench.engine.model.attention import AttentionOfProducts

Switch = Callable[[PreparedRun], AbstractContextManager[PreparedRun]]
"""Function from a run to a context with the run to measure."""


@contextmanager
def _as_built(run: PreparedRun) -> Iterator[PreparedRun]:
    """Leaves the run as the engine builds it."""
    yield run


@contextmanager
def _cuda_graphs(run: PreparedRun) -> Iterator[PreparedRun]:
    """Compiles the blocks as `--compile` does, and records their kernels as CUDA graphs."""
    for block in run.parts.model.backbone.blocks:
        block.module.compile(dynamic=False, mode="reduce-overhead")

    def begin(*arguments: Any) -> None:
        torch.compiler.cudagraph_mark_step_begin()

    handle = run.parts.model.register_forward_pre_hook(begin)
    try:
        yield run
    finally:
        handle.remove()


@contextmanager
def _products(run: PreparedRun) -> Iterator[PreparedRun]:
    """Computes attention by two products and a softmax, as on CPUs."""
    with AttentionOfProducts():
        yield run


def _attention(backend: SDPBackend) -> Switch:
    @contextmanager
    def chosen(run: PreparedRun) -> Iterator[PreparedRun]:
        """Allows one kernel for attention; another one raises."""
        with sdpa_kernel(backend):
            yield run

    return chosen


def _optimizer(foreach: bool) -> Switch:
    @contextmanager
    def changed(run: PreparedRun) -> Iterator[PreparedRun]:
        """Replaces the fused kernel of the optimizer."""
        build = run.parts.optimizer

        def slower(*arguments: Any) -> torch.optim.Optimizer:
            made = build(*arguments)
            for group in made.param_groups:
                group.update(fused=False, foreach=foreach)
            return made

        parts: Any = replace(run.parts, optimizer=slower)  # type: ignore[arg-type]
        yield PreparedRun(run.resolved, parts)

    return changed


class _SameStream:
    """Copies batches in the stream of the computation."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.to(self._device, non_blocking=True)


@contextmanager
def _same_stream(run: PreparedRun) -> Iterator[PreparedRun]:
    """Copies batches of files in the stream of the computation."""
    module: Any = ltbench.data.loading.batches
    module.BatchCopier, kept = _SameStream, module.BatchCopier
    try:
        yield run
    finally:
        module.BatchCopier = kept


AS_BUILT = "as built"
SAME_STREAM = "copies in the same stream"
CUDA_GRAPHS = "compiled blocks, CUDA graphs"
SWITCHES: Mapping[str, Switch] = {
    AS_BUILT: _as_built,
    CUDA_GRAPHS: _cuda_graphs,
    "attention: flash": _attention(SDPBackend.FLASH_ATTENTION),
    "attention: memory-efficient": _attention(SDPBackend.EFFICIENT_ATTENTION),
    "attention: cuDNN": _attention(SDPBackend.CUDNN_ATTENTION),
    "attention: math": _attention(SDPBackend.MATH),
    "attention: two products": _products,
    "optimizer: foreach": _optimizer(foreach=True),
    "optimizer: loop": _optimizer(foreach=False),
    SAME_STREAM: _same_stream,
}
