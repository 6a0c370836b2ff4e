"""Pretraining of ``clip_tiny`` on the rendered pool."""

from __future__ import annotations

import argparse
import csv
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.pretrain.augment import Augment
from benchmarks.pretrain.concepts import Concept, concepts
from benchmarks.pretrain.model import create, export, normalize, use_plain_attention
from benchmarks.pretrain.validate import digits_accuracy, validation_digits
from ltbench_plugins.backbones.clip_tiny import tokenize

# Composition of a batch.
SHARES = {"digit": 0.45, "letter": 0.4, "symbol": 0.09, "shape": 0.03, "texture": 0.02}
WARM_UP = 200
RATE = 1e-3
EMA = 0.998
SMOOTHING = 0.05
USUAL_TEMPLATE = 0.4


class Pool:
    """Rendered masks, drawn by kind with fixed shares."""

    def __init__(self, folder: Path, known: list[Concept]) -> None:
        self.masks = torch.from_numpy(np.load(folder / "masks.npy", mmap_mode="c"))
        self.labels = torch.from_numpy(np.load(folder / "labels.npy"))
        kinds = [concept.kind for concept in known]
        order = list(dict.fromkeys(kinds))
        of_label = torch.tensor([order.index(kind) for kind in kinds])
        self.members = [
            torch.nonzero(of_label[self.labels] == kind).squeeze(1) for kind in range(len(order))
        ]
        rest = 1 - sum(SHARES.values())
        self.shares = torch.tensor([SHARES.get(kind, rest) for kind in order])

    def sample(self, size: int) -> tuple[Tensor, Tensor]:
        """Draws a batch of masks and their concept numbers."""
        counts = torch.multinomial(self.shares, size, replacement=True).bincount(
            minlength=len(self.members)
        )
        rows = torch.cat(
            [
                members[torch.randint(len(members), (int(count),))]
                for members, count in zip(self.members, counts, strict=True)
            ]
        )
        return self.masks[rows], self.labels[rows]


class Captions:
    """Tokens of every caption; each step draws one caption of each concept."""

    def __init__(self, known: list[Concept]) -> None:
        captions = [concept.captions() for concept in known]
        most = max(len(texts) for texts in captions)
        padded = [texts + texts[:1] * (most - len(texts)) for texts in captions]
        self.tokens = torch.stack([tokenize(texts) for texts in padded])
        self.counts = torch.tensor([len(texts) for texts in captions])

    def sample(self) -> Tensor:
        """Draws a caption of each concept."""
        other = 1 + (torch.rand(len(self.counts)) * (self.counts - 1)).long()
        usual = torch.rand(len(self.counts)) < USUAL_TEMPLATE
        return self.tokens[torch.arange(len(self.counts)), torch.where(usual, 0, other)]


class CosineHead(nn.Module):
    """A classifier on the image tower that speeds up the start of training; then discarded."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, width) * width**-0.5)
        self.scale = nn.Parameter(torch.tensor(math.log(16.0)))

    def forward(self, features: Tensor) -> Tensor:
        """Returns scaled cosines of normalised features."""
        return self.scale.exp() * features @ F.normalize(self.weight, dim=-1).T


def rate_at(step: int, steps: int) -> float:
    """Returns a learning rate: linear warm-up, then a half cosine to zero."""
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    return RATE * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / (steps - WARM_UP)))


def train(options: argparse.Namespace) -> None:
    """Trains the model, validating and exporting the averaged weights at intervals."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    known = concepts()
    pool, captions, augment = Pool(options.pool, known), Captions(known), Augment(known)
    model = create()
    use_plain_attention(model)
    average = create().eval()
    average.load_state_dict(model.state_dict())
    head = CosineHead(64, len(known))
    weights = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in weights if p.ndim > 1], "weight_decay": 0.05},
            {"params": [p for p in weights if p.ndim < 2], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
        fused=True,
    )
    digits = validation_digits()
    curve, began = [], time.monotonic()
    for step in range(options.steps):
        masks, labels = pool.sample(options.batch)
        images = normalize(augment(masks, labels))
        with torch.autocast("cpu", torch.bfloat16):
            features = F.normalize(model.encode_image(images).float(), dim=-1)
            texts = F.normalize(model.encode_text(captions.sample()).float(), dim=-1)
        contrast = model.logit_scale.exp() * features @ texts.T
        loss = F.cross_entropy(contrast, labels, label_smoothing=SMOOTHING)
        loss = loss + F.cross_entropy(head(features), labels, label_smoothing=SMOOTHING)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, options.steps)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100.0))
            kept = min(EMA, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - kept)
        if (step + 1) % options.every == 0 or step + 1 == options.steps:
            score = digits_accuracy(average, *digits)
            minutes = (time.monotonic() - began) / 60
            curve.append((step + 1, f"{minutes:.1f}", f"{loss.item():.3f}", f"{score:.2f}"))
            print(*curve[-1], flush=True)
            export(dict(average.named_parameters()), options.out, step + 1)
            _write_curve(curve, options.curve)


def _write_curve(curve: list[tuple[int, str, str, str]], path: Path) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("step", "minutes", "loss", "digits_zero_shot"))
        writer.writerows(curve)


def main() -> None:
    """Trains for the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, required=True, help="folder of the rendered pool")
    parser.add_argument("--out", type=Path, required=True, help="weights file to write")
    parser.add_argument("--curve", type=Path, required=True, help="CSV of the validation curve")
    parser.add_argument("--steps", type=int, default=12500)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--every", type=int, default=500, help="steps between validations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
