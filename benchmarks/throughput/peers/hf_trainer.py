"""Hugging Face's Trainer with peft's LoRA on ViT-B/16, and torchvision's transforms on Pillow."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torchvision import transforms
from transformers import (
    Trainer,
    TrainerCallback,
    TrainingArguments,
    ViTConfig,
    ViTForImageClassification,
)

from benchmarks.throughput.images import read_rows
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.meter import wait
from benchmarks.throughput.peers.files import MEAN, STD, ImageList

_SIDE = 224


class _Clock(TrainerCallback):
    """Timer of the steps after the warm-up."""

    def __init__(self, warmup: int, device: torch.device) -> None:
        self.warmup = warmup
        self.device = device
        self.start = self.end = 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Records the time of a step's end."""
        if state.global_step == self.warmup:
            wait(self.device)
            self.start = time.perf_counter()
        if state.global_step == state.max_steps:
            wait(self.device)
            self.end = time.perf_counter()


def run(
    data: str, device: str, precision: str, batch_size: int, warmup: int, steps: int, workers: int
) -> dict[str, Any]:
    """Returns images per second of the timed steps, and peak memory."""
    chosen, folder = torch.device(device), Path(data) / "imagenet_lt"
    classes = max(label for _, label in read_rows(folder, "train")) + 1
    clock = _Clock(warmup, chosen)
    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            output_dir=out,
            per_device_train_batch_size=batch_size,
            max_steps=warmup + steps,
            bf16=precision == "bf16",
            use_cpu=chosen.type == "cpu",
            dataloader_num_workers=workers,
            dataloader_drop_last=True,
            dataloader_pin_memory=chosen.type == "cuda",
            remove_unused_columns=False,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        trainer = Trainer(
            lora_vit(classes),
            arguments,
            data_collator=_collate,
            train_dataset=ImageList(folder, "train", _usual_transform()),
            callbacks=[clock],
        )
        trainer.train()
    seconds = clock.end - clock.start
    return {
        "images_per_second": batch_size * steps / seconds,
        "step_seconds": seconds / steps,
        "precision": precision,
        "workers": workers,
        "peak_memory_mb": peak_memory_mb(chosen),
    }


def lora_vit(classes: int) -> torch.nn.Module:
    """Returns a ViT-B/16 with LoRA on queries and values, of ltbench's rank, and a head."""
    labels: dict[str, Any] = {"num_labels": classes}
    model = ViTForImageClassification(ViTConfig(**labels))
    rank = lora_rank(classes, model.config.num_hidden_layers)
    names = [name.rpartition(".")[2] for name, _ in model.named_modules()]
    # Their names differ between versions of transformers.
    targets = [name for name in ("query", "value", "q_proj", "v_proj") if name in names]
    config = LoraConfig(r=rank, target_modules=targets, modules_to_save=["classifier"])
    return get_peft_model(model, config)


def lora_rank(classes: int, blocks: int) -> int:
    """Returns the paper's rule: 2^floor(log2(K / (4 L))), at least 1."""
    return int(2 ** max(0, math.floor(math.log2(classes / (4 * blocks)))))


def _usual_transform() -> Any:
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(_SIDE),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def _collate(items: list[tuple[Any, int]]) -> dict[str, Any]:
    images, labels = zip(*items, strict=True)
    return {"pixel_values": torch.stack(images), "labels": torch.tensor(labels)}
