"""What a run would take: measured on a few images, carried over to all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ltbench.config.resolve import Resolved
from ltbench.engine.build.builder import assemble
from ltbench.engine.build.built_run import Assembly
from ltbench.engine.environment import peak_memory_mb
from ltbench.engine.model.precision import Arithmetic
from ltbench.engine.run import Machine, count_learned, memory_explained
from ltbench.engine.training.checkpoint import TrainState

_PROBE = 32  # images


@dataclass(frozen=True)
class Estimate:
    """What a run would learn and take: times without its refinement, if it has one."""

    learned: dict[str, Any]
    refined: bool
    precision: str
    train_seconds: float
    select_seconds: float
    evaluate_seconds: float
    peak_memory_mb: float
    warnings: list[str]


def estimate(resolved: Resolved, machine: Machine) -> Estimate:
    """Builds the run and times a training step and an evaluation pass on 32 images.

    The step's memory is carried over to the batch size in proportion. Writes nothing.
    """
    with memory_explained():
        return _measure(resolved, assemble(resolved, machine.loading(resolved.spec)))


def _measure(resolved: Resolved, assembly: Assembly) -> Estimate:
    arithmetic = assembly.arithmetic
    spec, train, device = resolved.spec, resolved.spec.train, assembly.loading.device
    sizes = {name: len(split) for name, split in assembly.dataset.splits.items()}
    seen = "val" if spec.uses_val else spec.split
    evaluated = _timed(lambda: _evaluate_once(assembly, seen, arithmetic), device) / _PROBE
    before = peak_memory_mb(device)
    seconds, validated, memory = 0.0, 0, before
    if train.epochs and assembly.model.learned():
        state = TrainState.start(assembly.model, train, arithmetic)
        per_image = _timed(lambda: _step_once(assembly, state, arithmetic), device) / _PROBE
        seconds = per_image * sizes["train"] * train.epochs
        validated = sizes["val"] * train.epochs if spec.select == "val" else 0
        part = train.batch_size / train.accumulate / _PROBE
        memory = before + (peak_memory_mb(device) - before) * part
    return Estimate(
        learned=count_learned(assembly),
        refined=assembly.refinement is not None,
        precision=f"{arithmetic.name} ({arithmetic.reason})",
        train_seconds=seconds,
        select_seconds=evaluated * validated,
        evaluate_seconds=evaluated * sizes[spec.split],
        peak_memory_mb=memory,
        warnings=assembly.warnings,
    )


def _timed(work: Any, device: torch.device) -> float:
    """Returns the seconds of the second call: the first warms up."""
    work()
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def _step_once(assembly: Assembly, state: TrainState, arithmetic: Arithmetic) -> None:
    assembly.model.training_mode()
    assembly.loss.start_epoch(0.0)
    images, targets = next(assembly.stream(0, 1).epoch(0, _PROBE))
    with arithmetic.autocast():
        logits = assembly.model(images)
    assembly.loss(logits, targets).backward()
    state.optimizer.step()
    state.optimizer.zero_grad()


@torch.inference_mode()
def _evaluate_once(assembly: Assembly, split: str, arithmetic: Arithmetic) -> None:
    indices = np.arange(_PROBE) % len(assembly.dataset.splits[split])
    assembly.model.eval()
    for batch in assembly.evaluation_batches(split).of([(0, indices)]):
        with arithmetic.autocast():
            assembly.model(batch.views.flatten(0, 1))
