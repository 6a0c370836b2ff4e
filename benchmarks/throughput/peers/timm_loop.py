"""Loop in the style of timm's train.py: trains all of ViT-B/16 with the loader of `timm.data`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
import torch
from timm.data import create_loader  # type: ignore[attr-defined]
from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]
from timm.utils import AverageMeter  # type: ignore[attr-defined]
from torch import nn

from benchmarks.throughput.images import read_rows
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.meter import Meter
from benchmarks.throughput.peers.files import MEAN, STD, ImageList
from benchmarks.throughput.peers.loading import endless
from benchmarks.throughput.peers.plain import autocast

_SIDE = 224


class _AsIs:
    """Transform that is replaced by the loader's."""

    transform: Any = None

    def __call__(self, image: Any) -> Any:
        return image


def run(
    data: str, device: str, precision: str, batch_size: int, warmup: int, steps: int, workers: int
) -> dict[str, Any]:
    """Returns the meter's figures, and peak memory."""
    chosen, folder = torch.device(device), Path(data) / "imagenet_lt"
    classes = max(label for _, label in read_rows(folder, "train")) + 1
    model = timm.create_model("vit_base_patch16_clip_224", num_classes=classes).to(chosen)
    images: Any = ImageList(folder, "train", _AsIs())
    loader = create_loader(
        images,
        (3, _SIDE, _SIDE),
        batch_size,
        is_training=True,
        hflip=0.5,
        color_jitter=0.0,
        interpolation="bicubic",
        mean=MEAN,
        std=STD,
        num_workers=workers,
        device=chosen,
        pin_memory=chosen.type == "cuda",
    )
    meter = Meter(chosen, warmup, steps, shares=chosen.type == "cpu")
    train(model, loader, meter, precision, chosen)
    return {
        **meter.report(batch_size),
        "precision": precision,
        "workers": workers,
        "peak_memory_mb": peak_memory_mb(chosen),
    }


def train(
    model: nn.Module, loader: Any, meter: Meter, precision: str, device: torch.device
) -> None:
    """Trains for the meter's steps; the loader moves the images to the device."""
    optimizer = create_optimizer_v2(model, opt="sgd", lr=0.02, momentum=0.9, weight_decay=5e-4)
    loss_of, losses = nn.CrossEntropyLoss(), AverageMeter()
    model.train()
    for images, labels in meter.batches(endless(loader)):
        with meter.phase("forward"), autocast(precision, device):
            loss = loss_of(model(images), labels)
        with meter.phase("backward"):
            optimizer.zero_grad()
            loss.backward()
        with meter.phase("step"):
            optimizer.step()
        losses.update(loss.item(), len(labels))
