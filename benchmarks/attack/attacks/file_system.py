"""Paths of a store that are something else than a command expects."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import Outcome, graceful
from benchmarks.attack.outside import Outside
from benchmarks.attack.permissions import binding
from benchmarks.attack.stores import finished_store

SECONDS = 120
GRID = """
[settings]
method = "classifier_only"
"train.epochs" = 1
[grid]
seed = [0, 1]
"""
RUN = ("run", "--method", "classifier_only", "--seed", "0", "--epochs", "1")


@dataclass(frozen=True)
class Place:
    """Store, caches and outputs of a trial.

    Args:
        folder: Working folder.
        runs: Folder of run directories.
        run: Directory of the run that is repeated.
        other: Directory of another run.
    """

    folder: Path
    runs: Path
    run: Path
    other: Path

    @classmethod
    def make(cls, folder: Path) -> Place:
        """Makes a store of finished runs, with all that a command may leave beside them.

        Args:
            folder: Empty folder.
        """
        runs = finished_store(folder, 3)
        found = {path.parent for path in runs.rglob("result.json")}
        run, other = sorted(found, key=_seed)[:2]
        for made in ("report/figures", "data/cifar10_lt", "runs/.locks", "runs/.cache"):
            (folder / made).mkdir(parents=True)
        (run / "checkpoint").mkdir()
        (run / "checkpoint" / "training.safetensors").write_bytes(b"")
        (folder / "runs/.locks" / f"{run.name}.lock").touch()
        (folder / "grid.toml").write_text(GRID)
        return cls(folder, runs, run, other)

    def swapped(self) -> list[Path]:
        """Returns the paths that are swapped for something else."""
        files = sorted(path for path in self.run.iterdir() if path.is_file())
        above = [self.run, self.run.parent, self.run.parent.parent, self.run.parents[2], self.runs]
        checkpoint = self.run / "checkpoint"
        locks = self.runs / ".locks"
        outputs = ("board.csv", "report", "report/figures", "report/index.html", "grid.toml")
        data = ("data", "data/cifar10_lt", "digits_lt-bad-files.csv", ".cache/ltbench", ".cache")
        return [
            *(*files, *above, checkpoint, checkpoint / "training.safetensors", self.other),
            *(locks, locks / f"{self.run.name}.lock", locks / f"{self.run.name}.claim"),
            *(self.runs / ".cache", self.runs / ".cache" / "room.lock"),
            *(self.folder / name for name in (*outputs, *data)),
        ]

    def commands(self) -> list[tuple[str, ...]]:
        """Returns the commands that use these paths."""
        run, other = str(self.run), str(self.other)
        return [
            RUN,
            (*RUN, "--overwrite", "always"),
            (*RUN, "--overwrite", "failed"),
            (*RUN, "--tracker", "csv", "--overwrite", "always"),
            ("eval", run),
            ("eval", run, "--inference", "center"),
            ("leaderboard", "runs", "--csv", "board.csv"),
            ("report", "runs", "--out", "report"),
            ("compare", run, other),
            ("reproduce", run),
            ("grid", "plan", "grid.toml"),
            ("grid", "status", "grid.toml"),
            ("grid", "run", "grid.toml", "--jobs", "1"),
            ("data", "verify", "digits_lt"),
            ("data", "prepare", "cifar10_lt", "--lists", "file:///nowhere"),
        ]


def _seed(run: Path) -> str:
    return (run / "spec.json").read_text().partition('"seed": ')[2][:2] + str(run)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _unreadable(path: Path) -> None:
    if path.exists():
        path.chmod(0)


def _make_huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 42)  # without content: it takes no place


def _swap(path: Path, kind: str, outside: Path) -> None:
    """Puts something else at a path."""
    if kind == "unreadable":
        _unreadable(path)
        return
    if kind == "read_only":
        if path.exists():
            path.chmod(0o555 if path.is_dir() else 0o444)
        return
    _remove(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    links = {
        "link_to_file": outside / "file",
        "link_to_folder": outside / "folder",
        "link_to_nothing": outside / "nothing",
        "link_loop": path,
        "link_to_itself_below": path / "below",
    }
    make: dict[str, Callable[[], object]] = {
        "file": lambda: path.write_bytes(b"not expected here\n"),
        "empty": path.touch,
        "folder": path.mkdir,
        "fifo": lambda: os.mkfifo(path),
        "huge": lambda: _make_huge(path),
        "null_device": lambda: path.symlink_to("/dev/zero"),
        "nothing": lambda: None,
        **{name: lambda target=target: path.symlink_to(target) for name, target in links.items()},  # type: ignore[misc]
    }
    make[kind]()


KINDS = (
    *("nothing", "file", "empty", "folder", "fifo", "huge", "null_device", "unreadable"),
    *("read_only", "link_to_file", "link_to_folder", "link_to_nothing", "link_loop"),
    "link_to_itself_below",
)


def swapped_paths(rng: random.Random, folder: Path) -> None:
    """Swaps one to three paths and runs two commands."""
    outside, place = Outside.make(folder), Place.make(folder)
    paths = rng.sample(place.swapped(), rng.choice((1, 1, 1, 2, 3)))
    for path in paths:
        try:
            _swap(path, rng.choice(KINDS), outside.folder)
        except OSError:
            continue  # another swap is in the way
    for arguments in rng.sample(place.commands(), 2):
        with binding():
            outcome = ltbench(*arguments, cwd=folder, seconds=SECONDS)
        _readable(folder)
        graceful(outcome)
        outside.check(outcome)


def _readable(folder: Path) -> None:
    """Makes all folders readable again, so that what is left can be checked."""
    for above, names, _ in os.walk(folder):
        for path in (Path(above, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o755)


def long_paths(rng: random.Random, folder: Path) -> None:
    """Gives names that are too long, loops and places below files as outputs."""
    outside, place = Outside.make(folder), Place.make(folder)
    (folder / "loop").symlink_to("loop")
    (folder / "taken").touch()
    names = ("x" * 256, "x" * 1_000, "d/" * 3_000, "loop", "loop/x", "taken/x", "taken", "x" * 250)
    name = rng.choice((*names, "\u00e9" * 128, "/proc/x", "/dev/full", "/dev/null/x", ".", ""))
    run = str(place.run)
    arguments = rng.choice(
        (
            (*RUN, "--out", name),
            ("leaderboard", "runs", "--csv", name),
            ("report", "runs", "--out", name),
            ("report", name, "--out", "report"),
            ("leaderboard", name),
            ("eval", name),
            ("compare", run, name),
            ("reproduce", name),
            ("grid", "status", "grid.toml", "--out", name),
            ("grid", "plan", "grid.toml", "--out", name),
            ("grid", "run", "grid.toml", "--out", name),
            ("grid", "plan", name),
            ("data", "verify", "digits_lt", "--bad-files", name),
            ("data", "verify", "imagenet_lt", "--data-root", name),
            ("data", "prepare", "cifar10_lt", "--source", name),
            ("data", "prepare", "cifar10_lt", "--lists", name, "--data-root", name),
            ("plugin", "new", "my_loss", "--kind", "loss", "--dir", name),
        )
    )
    outcome: Outcome = graceful(ltbench(*arguments, cwd=folder, seconds=SECONDS))
    outside.check(outcome)


ATTACKS = (
    Attack(
        "swapped_paths",
        "Paths of a store swapped for files, folders, links, FIFOs, devices, without permission",
        swapped_paths,
        4.0,
    ),
    Attack("long_paths", "Over-long names, loops of links, places below files", long_paths),
)
