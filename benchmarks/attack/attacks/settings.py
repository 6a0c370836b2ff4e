"""Attacks on settings of the command line: `--set` and the numbers and names of other options."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.attack.attack import Attack
from benchmarks.attack.attacks.grid_files import odd_value
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import graceful

_KEYS = (
    *("method", "dataset", "loss", "train", "train.lr", "train.epochs", "train.batch_size", "seed"),
    *("method.dim", "method.layers", "method.targets", "dataset.ratio", "dataset.path", "foo.bar"),
    *("optimizer.momentum", "schedule.warmup_epochs", "method.a.b", "", ".", "..", "method."),
    *("tracker.x.y", "executor.jobs", "data_seed", "split", "precision", "[red]", "\x1b[31m"),
)
_ODD = (
    "",
    "nan",
    "-inf",
    "1e400",
    "-1",
    "0x10",
    "1_0",
    "9" * 4301,
    "\udcff",
    "é",
    "none",
    "{}",
    "[",
)
_FLAGS = (
    "--seed",
    "--lr",
    "--epochs",
    "--batch-size",
    "--method",
    "--dataset",
    "--device",
    "--out",
)


def _try_settings(random: Random, folder: Path) -> None:
    """Plans a run with odd settings."""
    given: list[str] = []
    for _ in range(random.randint(1, 4)):
        value = odd_value(random) if random.random() < 0.6 else random.choice(_ODD)
        text = f"{random.choice(_KEYS)}{random.choice(['=', '=', '=', ' = ', ''])}{value}"
        given += ["--set", text.replace("\0", "")[:100_000]]
    if random.random() < 0.5:
        given += [random.choice(_FLAGS), random.choice(_ODD)]
    if random.random() < 0.2:
        given += ["--dataset", "csv"]
    verb = random.choice([("run", "--dry-run"), ("data", "verify", "digits_lt")])
    graceful(ltbench(*verb, *given, cwd=folder, seconds=120))


ATTACKS = (
    Attack(
        "settings",
        "Settings of `--set` and flags with odd keys and values: a plan or one clear error",
        _try_settings,
    ),
)
