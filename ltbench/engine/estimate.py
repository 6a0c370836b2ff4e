"""Estimate of a run's time and memory, from measurements on a few images."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ltbench.config.resolve import Resolved
from ltbench.engine.building.builder import build_run
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.environment import peak_memory_mb
from ltbench.engine.memory import memory_explained
from ltbench.engine.model.precision import PrecisionPolicy
from ltbench.engine.run import RuntimeConfig, count_learned
from ltbench.engine.training.checkpoint import TrainState
from ltbench.engine.training.train_loader import image_loader
from ltbench.storage.result_schema import LearnedParameters

_PROBE_IMAGES = 32


@dataclass(frozen=True)
class Estimate:
    """Estimated cost of a run.

    Args:
        learned: Numbers of learned parameters, as the result has them.
        refined: Whether the run has a refinement, whose time is not included.
        precision: Name of the precision, and the reason for it.
        train_seconds: Seconds of the training.
        select_seconds: Seconds of the evaluations on the validation split.
        evaluate_seconds: Seconds of the evaluation.
        peak_memory_mb: Peak memory of the device, in MB.
        warnings: Sentences on what would limit the meaning of the result.
    """

    learned: LearnedParameters
    refined: bool
    precision: str
    train_seconds: float
    select_seconds: float
    evaluate_seconds: float
    peak_memory_mb: float
    warnings: list[str]


def estimate(resolved: Resolved, runtime: RuntimeConfig) -> Estimate:
    """Builds the run and times a training step and an evaluation pass on 32 images.

    The step's memory is scaled to the batch size in proportion. Nothing is written.
    """
    with memory_explained():
        # Compiling takes longer than the estimate, and pads its few images to a whole batch.
        plain = replace(resolved, spec=replace(resolved.spec, compile=False))
        return _measure(plain, build_run(plain, runtime.loader_config(plain.spec)))


def _measure(resolved: Resolved, built: BuiltRun) -> Estimate:
    policy = built.policy
    spec, train, device = resolved.spec, resolved.spec.train, built.loader_config.device
    sizes = {name: len(split) for name, split in built.dataset.splits.items()}
    seen = "val" if spec.uses_val else spec.split
    evaluated = _timed(lambda: _evaluate_once(built, seen, policy), device) / _PROBE_IMAGES
    before = peak_memory_mb(device)
    seconds, validated, memory = 0.0, 0, before
    if train.epochs and built.model.learned():
        optimizer = built.optimizer(built.model.learned(), train.lr)
        state = TrainState.start(optimizer, policy)
        per_image = _timed(lambda: _step_once(built, state, policy), device) / _PROBE_IMAGES
        seconds = per_image * sizes["train"] * train.epochs
        validated = sizes["val"] * train.epochs if spec.select == "val" else 0
        part = train.batch_size / train.accumulate / _PROBE_IMAGES
        memory = before + (peak_memory_mb(device) - before) * part
    return Estimate(
        learned=count_learned(built),
        refined=built.refinement is not None,
        precision=f"{policy.name} ({policy.reason})",
        train_seconds=seconds,
        select_seconds=evaluated * validated,
        evaluate_seconds=evaluated * sizes[spec.split],
        peak_memory_mb=memory,
        warnings=built.warnings,
    )


def _timed(work: Any, device: torch.device) -> float:
    """Returns the seconds of the second call: the first warms up."""
    work()
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def _step_once(built: BuiltRun, state: TrainState, policy: PrecisionPolicy) -> None:
    built.model.training_mode()
    built.loss.start_epoch(0.0)
    (part,) = next(image_loader(built, 0, 1).epoch(0, _PROBE_IMAGES))
    with policy.autocast():
        logits = built.model(part.inputs)
    built.loss(logits, part.targets).backward()
    state.optimizer.step()
    state.optimizer.zero_grad()


@torch.inference_mode()
def _evaluate_once(built: BuiltRun, split: str, policy: PrecisionPolicy) -> None:
    indices = np.arange(_PROBE_IMAGES) % len(built.dataset.splits[split])
    built.model.eval()
    for batch in built.evaluation_batches(split).of([(0, indices)]):
        with policy.autocast():
            built.model(batch.views.flatten(0, 1))
