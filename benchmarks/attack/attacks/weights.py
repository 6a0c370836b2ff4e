"""Damaged and disguised weights: checkpoints, learned weights and those of a backbone."""

from __future__ import annotations

import json
import random
from pathlib import Path

import torch
from safetensors.torch import save

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ltbench
from benchmarks.attack.mutation import damaged, pickled
from benchmarks.attack.outcome import graceful
from benchmarks.attack.stores import finished_store, unfinished_store


def _try_checkpoint(rng: random.Random, folder: Path) -> None:
    store, undisturbed = unfinished_store(folder)
    path = next(store.rglob("training.safetensors"))
    executed = folder / "executed"
    path.write_bytes(_hostile(rng, path.read_bytes(), executed))
    outcome = ltbench(*undisturbed.arguments, cwd=folder)
    graceful(outcome, codes=(0, 4))
    if executed.exists():
        raise outcome.finding("nothing is unpickled")
    if outcome.code:
        if path.name not in outcome.err:
            raise outcome.finding("the error names the file")
        return
    found = json.loads(next(store.rglob("result.json")).read_text())["metrics"]
    if found != undisturbed.metrics:
        raise outcome.finding("a run that is resumed has the numbers of an undisturbed run")


def _try_learned(rng: random.Random, folder: Path) -> None:
    store = finished_store(folder, 4)
    paths = sorted(store.rglob("*.safetensors"))
    path, executed = rng.choice(paths), folder / "executed"
    if rng.random() < 0.2:
        path.write_bytes(rng.choice(paths).read_bytes())  # of another run
    else:
        path.write_bytes(_hostile(rng, path.read_bytes(), executed))
    before = json.loads((path.parent / "result.json").read_text())["metrics"]
    outcome = ltbench("eval", str(path.parent), "--json", cwd=folder)
    graceful(outcome, codes=(0, 4))
    if executed.exists():
        raise outcome.finding("nothing is unpickled")
    if outcome.code == 0 and json.loads(outcome.out)["metrics"] != before:
        raise outcome.finding("weights that differ are refused")


def _try_backbone(rng: random.Random, folder: Path) -> None:
    executed = folder / "executed"
    name = rng.choice(("w.safetensors", "w.pt", "w.bin", "w.npz", "w.safetensors.bin", "w"))
    weights = save({"head.weight": torch.zeros(3, 3)})
    (folder / name).write_bytes(_hostile(rng, weights, executed))
    timm = ("--backbone", "timm", "--set", "backbone.model=vit_tiny_patch16_224")
    method = ("--method", "classifier_only", "--device", "cpu", "--dry-run")
    outcome = ltbench("run", *timm, "--set", f"backbone.weights={name}", *method, cwd=folder)
    graceful(outcome, codes=(4,))
    if executed.exists():
        raise outcome.finding("nothing is unpickled")


def _hostile(rng: random.Random, content: bytes, executed: Path) -> bytes:
    kind = rng.random()
    if kind < 0.1:
        return pickled(executed)
    if kind < 0.2:  # a header that declares what the file has no room for
        size = rng.choice((2**63 - 1, 2**40, len(content)))
        return size.to_bytes(8, "little") + content[8:]
    return damaged(rng, content)


ATTACKS = (
    Attack(
        "checkpoint", "Damaged checkpoints: resumed to the same numbers or named", _try_checkpoint
    ),
    Attack(
        "learned_weights",
        "Damaged weights of a run in `eval`: the same numbers or named",
        _try_learned,
    ),
    Attack(
        "backbone_weights",
        "Damaged weights of a backbone, and pickles: named, never executed",
        _try_backbone,
    ),
)
