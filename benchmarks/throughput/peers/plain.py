"""Straightforward PyTorch loop of a research repository: LIFT+ on ViT-B/16.

Pillow's transforms in loader workers, autocast in a lower precision, meters that
read every step's loss and every image's outcome, and one forward pass for each view in a test.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from benchmarks.throughput import flops
from benchmarks.throughput.images import read_rows
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.meter import Meter
from benchmarks.throughput.peers.adapted import AdaptedClip, vit_b_16
from benchmarks.throughput.peers.files import ImageList, training_transform
from benchmarks.throughput.peers.loading import endless, loader_of

_SIDE = 224


class AverageMeter:
    """Mean of all values so far."""

    def __init__(self) -> None:
        self.total = 0.0
        self.count = 0

    def update(self, value: float, count: int = 1) -> None:
        """Adds a value with its number of images."""
        self.total += value * count
        self.count += count

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return self.total / max(self.count, 1)


class LogitAdjustedLoss:
    """Cross entropy with the log prior added to the logits."""

    def __init__(self, labels: list[int], classes: int, device: torch.device) -> None:
        counts = torch.bincount(torch.tensor(labels), minlength=classes).to(device)
        self.log_prior = torch.log(counts / counts.sum())

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the mean loss of logits (B, K)."""
        return F.cross_entropy(logits + self.log_prior, labels)


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Returns the autocast context of a forward pass."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def run(
    data: str, device: str, precision: str, batch_size: int, warmup: int, steps: int, workers: int
) -> dict[str, Any]:
    """Returns the meter's figures, operations per image, and peak memory."""
    chosen, folder = torch.device(device), Path(data) / "imagenet_lt"
    labels = [label for _, label in read_rows(folder, "train")]
    classes = max(labels) + 1
    model = vit_b_16(classes).to(chosen)
    loss_of = LogitAdjustedLoss(labels, classes, chosen)
    loader = loader_of(
        ImageList(folder, "train", training_transform(_SIDE)), batch_size, workers, chosen
    )
    meter = Meter(chosen, warmup, steps, shares=chosen.type == "cpu")
    train(model, loss_of, loader, meter, precision, chosen)
    counted = 2
    images = torch.zeros(counted, 3, _SIDE, _SIDE, device=chosen)
    few = torch.zeros(counted, dtype=torch.int64, device=chosen)
    per_image = flops.count(lambda: loss_of(model(images), few).backward()) / counted / 1e9
    found = meter.report(batch_size)
    return {
        **found,
        "precision": precision,
        "workers": workers,
        "gflops_per_image": per_image,
        "gflops": per_image * found["images_per_second"],
        "peak_memory_mb": peak_memory_mb(chosen),
    }


def train(
    model: AdaptedClip,
    loss_of: LogitAdjustedLoss,
    loader: DataLoader[Any],
    meter: Meter,
    precision: str,
    device: torch.device,
) -> None:
    """Trains for the meter's steps."""
    optimizer = torch.optim.SGD(model.learned(), lr=0.02, momentum=0.9, weight_decay=5e-4)
    losses, accuracies = AverageMeter(), AverageMeter()
    of_classes: defaultdict[int, AverageMeter] = defaultdict(AverageMeter)
    model.train()
    for images, labels in meter.batches(endless(loader)):
        images, labels = images.to(device), labels.to(device)
        with meter.phase("forward"), autocast(precision, device):
            logits = model(images)
            loss = loss_of(logits, labels)
        with meter.phase("backward"):
            optimizer.zero_grad()
            loss.backward()
        with meter.phase("step"):
            optimizer.step()
        correct = (logits.argmax(dim=1) == labels).float()
        losses.update(loss.item(), len(labels))
        accuracies.update(correct.mean().item(), len(labels))
        for right, label in zip(correct, labels, strict=True):
            of_classes[label.item()].update(right.item())
