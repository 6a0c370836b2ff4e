"""Attacks by number: grids of up to 100,000 cells, in time and memory in proportion."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.attack.attack import Attack, Finding
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import Outcome, graceful

MAX_OUTPUT_CHARACTERS = 10_000
MEMORY_MB = 1_000  # on top of the imports
SECONDS = 60.0
_SMALL, _LARGE = 20_000, 100_000  # of fewer cells, the imports take most of the time
_RATIO = 2.0  # of the processor time of a cell, in a large grid and a small one


def _try_large_grid(random: Random, folder: Path) -> None:
    """Plans a grid of 100,000 cells, and compares the time of a cell with a small grid's."""
    verb = random.choice(["plan", "status"])
    one, small, large = (_run(verb, cells, random, folder) for cells in (1, _SMALL, _LARGE))
    if len(large.out) > MAX_OUTPUT_CHARACTERS:
        raise large.finding(f"at most {MAX_OUTPUT_CHARACTERS:,} characters without --all")
    a_cell = (small.cpu_seconds - one.cpu_seconds) / _SMALL
    a_cell_of_many = (large.cpu_seconds - one.cpu_seconds) / _LARGE
    if a_cell_of_many > _RATIO * a_cell:
        raise Finding(
            f"grid {verb}: a cell takes {a_cell * 1e6:.0f} microseconds in a grid of {_SMALL:,}, "
            f"and {a_cell_of_many * 1e6:.0f} in one of {_LARGE:,}"
        )


def _run(verb: str, cells: int, random: Random, folder: Path) -> Outcome:
    (folder / "large.toml").write_text(_grid(cells, random))
    arguments = ("grid", verb, "large.toml")
    return graceful(
        ltbench(*arguments, cwd=folder, seconds=SECONDS, memory_mb=MEMORY_MB), codes=(0,)
    )


def _grid(cells: int, random: Random) -> str:
    """Returns a grid of a number of cells over two axes, of which the first is short."""
    short = min(cells, random.choice([10, 50, 200]))
    first = random.choice(["train.lr", "optimizer.weight_decay"])
    second = random.choice(["train.epochs", "data_seed", "train.batch_size"])
    quoted = ", ".join(str((number + 1) / 1000) for number in range(short))
    numbers = ", ".join(str(number + 1) for number in range(cells // short))
    return f'[defaults]\nmethod = "lora"\n{first} = [{quoted}]\n{second} = [{numbers}]\n'


ATTACKS = (
    Attack(
        "large_grid",
        "Grid of 100,000 cells: time in proportion, 1 GB of memory, a short answer",
        _try_large_grid,
        share=0.1,
        least=1,
    ),
)
