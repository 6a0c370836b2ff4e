"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ltbench.config.runspec import TrainConfig
from ltbench.data.batches import Batches
from ltbench.data.randomness import shuffled
from ltbench.engine.checkpoint import TrainState
from ltbench.engine.model import Classifier
from ltbench.engine.precision import Arithmetic
from ltbench.engine.watch import Watch
from ltbench.errors import DataError, NonFiniteLossError
from ltbench.protocols import Loss

_CHECK_EVERY = 50  # steps between looks at the loss: each waits for the device


def train(
    model: Classifier,
    batches: Batches,
    loss_of: Loss,
    state: TrainState,
    config: TrainConfig,
    seed: int,
    arithmetic: Arithmetic,
    watch: Watch,
    on_epoch: Callable[[TrainState], None],
) -> None:
    """Trains the learned parameters from where `state` stands to the last epoch.

    Args:
        model: The classifier.
        batches: Of the training split: one view an image.
        loss_of: The loss.
        state: Optimiser, loss scaling and history; advanced in place.
        config: Epochs, batch size, accumulation, learning rate.
        seed: Of the order, and of whatever else is drawn.
        arithmetic: Precision of the forward pass.
        watch: Told how it gets on.
        on_epoch: Called after each epoch.

    Raises:
        NonFiniteLossError: With epoch and step.
    """
    size = len(batches.split)
    images = size * (config.epochs - state.epoch)
    watch.start("training", images, state.epoch, config.epochs)
    for epoch in range(state.epoch, config.epochs):
        torch.manual_seed(seed * 1_000_003 + epoch)  # a resumed run draws what it would have drawn
        model.training_mode()
        lr = cosine(config.lr, epoch, config.epochs)
        state.optimizer.param_groups[0]["lr"] = lr
        order = torch.split(torch.from_numpy(shuffled(seed, epoch, size)), config.batch_size)
        losses: list[Tensor] = []
        start = time.perf_counter()
        for batch in batches.of((epoch, indices.numpy()) for indices in order):
            total = torch.zeros((), device=batch.labels.device)
            part = math.ceil(len(batch.labels) / config.accumulate)
            for views, labels in zip(
                torch.split(batch.views[:, 0], part), torch.split(batch.labels, part), strict=True
            ):
                with arithmetic.autocast():
                    logits = model(views)
                value = loss_of(logits, labels) * (len(labels) / len(batch.labels))
                state.scaler.scale(value).backward()
                total += value.detach()
            state.scaler.step(state.optimizer)
            state.scaler.update()
            state.optimizer.zero_grad()
            losses.append(total)
            known = len(losses) % _CHECK_EVERY == 0
            watch.advance(len(batch.labels), mean_loss(losses, epoch) if known else None)
        loss = mean_loss(losses, epoch)  # waits for the device: the clock may stop
        seconds = time.perf_counter() - start
        row = {"epoch": epoch, "loss": loss, "lr": lr, "seconds": seconds}
        state.history.append({**row, "images_per_second": size / seconds})
        watch.epoch(state.history[-1], config.epochs)
        on_epoch(state)
    watch.stop()


def cosine(lr: float, epoch: int, epochs: int) -> float:
    """Returns the learning rate of an epoch: half a cosine from `lr` towards zero.

    >>> [round(cosine(0.02, epoch, 5), 4) for epoch in range(5)]
    [0.02, 0.0181, 0.0131, 0.0069, 0.0019]
    """
    return lr * (1 + math.cos(math.pi * epoch / epochs)) / 2


def mean_loss(losses: list[Tensor], epoch: int) -> float:
    """Returns the mean of the steps' losses.

    Raises:
        NonFiniteLossError: One is NaN or infinite.
        DataError: There is none.
    """
    if not losses:
        raise DataError("no training image can be decoded", hint="check the data set's files")
    values = torch.stack(losses)
    broken = (~values.isfinite()).nonzero()
    if len(broken):
        step = int(broken[0])
        raise NonFiniteLossError(
            f"the loss became {float(values[step])} in epoch {epoch + 1}, step {step + 1}; the "
            f"last good state is the {f'end of epoch {epoch}' if epoch else 'start'}",
            hint="lower the learning rate (--lr), or take --precision fp32",
        )
    return float(values.mean())
