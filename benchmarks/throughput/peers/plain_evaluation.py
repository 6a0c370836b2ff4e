"""Straightforward evaluation: a forward pass for each view, meters for each image."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from benchmarks.throughput.images import read_rows
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.meter import wait
from benchmarks.throughput.peers.adapted import AdaptedClip, vit_b_16
from benchmarks.throughput.peers.files import ImageList, center_transform, five_crops_transform
from benchmarks.throughput.peers.plain import AverageMeter, autocast

_SIDE = 224


def run(
    data: str, device: str, precision: str, inference: str, batch_size: int, workers: int
) -> dict[str, Any]:
    """Returns images per second over the test split.

    Args:
        data: Data root.
        device: Device of the model.
        precision: "fp32" or "bf16".
        inference: "tte" or "center".
        batch_size: Number of images per pass.
        workers: Number of decoding processes.
    """
    chosen, folder = torch.device(device), Path(data) / "imagenet_lt"
    classes = max(label for _, label in read_rows(folder, "train")) + 1
    model = vit_b_16(classes).to(chosen).eval()
    transform = five_crops_transform(_SIDE) if inference == "tte" else center_transform(_SIDE)
    images = ImageList(folder, "test", transform)
    loader = DataLoader(images, batch_size, num_workers=workers, pin_memory=chosen.type == "cuda")
    wait(chosen)
    start = time.perf_counter()
    evaluate(model, loader, precision, chosen)
    wait(chosen)
    seconds = time.perf_counter() - start
    return {
        "images_per_second": len(images) / seconds,
        "seconds": seconds,
        "precision": precision,
        "peak_memory_mb": peak_memory_mb(chosen),
    }


@torch.no_grad()
def evaluate(
    model: AdaptedClip, loader: DataLoader[Any], precision: str, device: torch.device
) -> float:
    """Returns the accuracy over the split, with five passes per image and their mean logits."""
    accuracy = AverageMeter()
    of_classes: defaultdict[int, AverageMeter] = defaultdict(AverageMeter)
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        views = images.unbind(dim=1) if images.ndim == 5 else (images,)
        with autocast(precision, device):
            logits = torch.stack([model(view) for view in views]).mean(dim=0)
        correct = (logits.argmax(dim=1) == labels).float()
        accuracy.update(correct.mean().item(), len(labels))
        for right, label in zip(correct, labels, strict=True):
            of_classes[label.item()].update(right.item())
    return accuracy.mean
