"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ltbench.config.runspec import TrainConfig
from ltbench.engine.building.checked_components import CheckedLoss
from ltbench.engine.building.checked_optimizer import CheckedSchedule, set_learning_rate
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.precision import PrecisionPolicy
from ltbench.engine.training.checkpoint import TrainState
from ltbench.engine.training.train_loader import TrainLoader
from ltbench.errors import DataError, NonFiniteLossError
from ltbench.io.interrupts import check
from ltbench.progress import ProgressReporter
from ltbench.ranks.group import Group

_CHECK_STEPS = 50  # between checks of the loss: each waits for the device


def train(
    model: Classifier,
    loader: TrainLoader,
    loss_of: CheckedLoss,
    schedule: CheckedSchedule,
    state: TrainState,
    config: TrainConfig,
    policy: PrecisionPolicy,
    group: Group,
    progress: ProgressReporter,
    on_epoch: Callable[[TrainState], None],
) -> None:
    """Trains the learned parameters from where `state` stands to the last epoch.

    Args:
        model: The classifier.
        loader: Training images, or their features; its seed is that of all other random numbers.
        loss_of: The loss.
        schedule: The factor of the learning rate in each step.
        state: Optimizer, loss scaling and history; advanced in place.
        config: Epochs, batch size, accumulation, learning rate.
        policy: Precision of the forward pass.
        group: Processes that share each batch out.
        progress: Progress reporter.
        on_epoch: Function that is called after each epoch; may add to its row of the history.

    Raises:
        NonFiniteLossError: With epoch and step.
        Interrupted: A signal has arrived.
    """
    size, learned = len(loader), list(model.learned().values())
    steps = math.ceil(size / config.batch_size)
    progress.start("training", size * (config.epochs - state.epoch), state.epoch, config.epochs)
    for epoch in range(state.epoch, config.epochs):
        # A resumed run draws what it would have drawn.
        torch.manual_seed(loader.seed * 1_000_003 + epoch)
        model.training_mode()
        loss_of.start_epoch(epoch / config.epochs)
        rates: list[float] = []
        # One tensor: small ones that stay between the large ones of a step leave holes in the heap,
        # which are too small for those of the next step (glibc).
        losses = torch.zeros(steps, device=learned[0].device)
        start = time.perf_counter()
        for parts in loader.epoch(epoch, config.batch_size, config.accumulate):
            check()
            step = epoch * steps + len(rates)
            rates.append(config.lr * schedule(step, steps, config.epochs))
            set_learning_rate(state.optimizer, rates[-1])
            images = sum(map(len, parts))
            total = torch.zeros((), device=parts[0].inputs.device)
            for number, part in enumerate(parts, start=step * config.accumulate):
                with policy.autocast(), group.own_random(loader.seed * 1_000_003 + number):
                    logits = loader.logits(model, part.inputs)
                value = loss_of(logits, part.targets, group) * (len(part) / images)
                state.scaler.scale(value).backward()
                total += value.detach()
            group.sum_gradients(learned)
            state.scaler.step(state.optimizer)
            state.scaler.update()
            state.optimizer.zero_grad()
            done = len(rates)
            if done > len(losses):  # a loader of more batches than its length
                losses = torch.cat([losses, torch.zeros_like(losses)])
            losses[done - 1] = total
            known = done % _CHECK_STEPS == 0
            progress.advance(images, mean_loss(losses[:done], epoch, policy) if known else None)
        loss = mean_loss(losses[: len(rates)], epoch, policy)  # waits for the device
        seconds = time.perf_counter() - start
        row = {"epoch": epoch, "loss": loss, "lr": rates[0], "seconds": seconds}
        state.history.append({**row, "images_per_second": size / seconds})
        on_epoch(state)
        progress.epoch(state.history[-1], config.epochs)
    progress.stop()


def divergence_hint(precision: str) -> str:
    """Returns a hint for a training that diverged, without settings that it had already.

    >>> divergence_hint("fp32")
    'lower the learning rate (--lr)'

    Args:
        precision: Name of the training's precision.
    """
    lower = "lower the learning rate (--lr)"
    return lower if precision == "fp32" else f"{lower}, or take --precision fp32"


def mean_loss(losses: Tensor, epoch: int, policy: PrecisionPolicy) -> float:
    """Returns the mean of the steps' losses.

    Args:
        losses: (S,) losses of the steps so far.
        epoch: The epoch, from 0.
        policy: Precision of the forward pass.

    Raises:
        NonFiniteLossError: A loss is NaN or infinite.
        DataError: There was no step.
    """
    if not len(losses):
        raise DataError("no training image can be decoded", hint="check the data set's files")
    broken = (~losses.isfinite()).nonzero()
    if len(broken):
        step = int(broken[0])
        raise NonFiniteLossError(
            f"the loss became {float(losses[step])} in epoch {epoch + 1}, step {step + 1}; the "
            f"last good state is the {f'end of epoch {epoch}' if epoch else 'start'}",
            hint=divergence_hint(policy.name),
        )
    return float(losses.mean())
