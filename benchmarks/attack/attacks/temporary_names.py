"""Links in the way of temporary and final names, in folders that another user may write to."""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import Outcome, graceful
from benchmarks.attack.outside import Outside
from benchmarks.attack.stores import finished_store

SEED = ("--method", "classifier_only", "--seed", "0", "--epochs", "1")
RUN = ("run", *SEED, "--overwrite", "always", "--tracker", "csv")
NAMES = ("spec.json", "result.json", "environment.json", "history.jsonl", "learned.safetensors")
OUTPUTS = ("board.csv", "index.html", "leaderboard.csv", "tables.tex", "epochs.csv", "summary.csv")
PIDS = 400


def _plant(folder: Path, names: tuple[str, ...], target: Path) -> None:
    """Makes links of all names that were predictable once: by name, and by name and process."""
    folder.mkdir(parents=True, exist_ok=True)
    first = os.getpid()
    for name in names:
        for partial in (f".{name}.part", f".{name}.tmp", f"{name}.part", f"{name}.tmp"):
            _link(folder / partial, target)
        for pid in range(first, first + PIDS):
            _link(folder / f".{name}.{pid}", target)


def _link(path: Path, target: Path) -> None:
    if not path.exists() and not path.is_symlink():
        path.symlink_to(target)


def planted_links(rng: random.Random, folder: Path) -> None:
    """Plants links to files of the user in every folder that a command writes to."""
    outside = Outside.make(folder)
    runs = finished_store(folder, 3)
    run = sorted(path.parent for path in runs.rglob("result.json"))[0]
    target = outside.folder / rng.choice(("file", "folder", "nothing"))
    _plant(run, NAMES, target)
    _plant(run.parent, (run.name, f"{run.name}.deleted"), target)
    for path in (run / "checkpoint", run / "csv", folder / "report", folder, runs / ".cache"):
        _plant(path, (*OUTPUTS, "training.safetensors", "my-loss"), target)
    for name in rng.sample(NAMES, 2):
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(target)
    commands = (
        RUN,
        ("leaderboard", "runs", "--csv", "board.csv"),
        ("report", "runs", "--out", "report"),
        ("plugin", "new", "my_loss", "--kind", "loss"),
    )
    for arguments in rng.sample(commands, 2):
        outcome = graceful(ltbench(*arguments, cwd=folder, seconds=120))
        outside.check_content(outcome)
        if (outside.folder / "nothing").exists():
            raise outcome.finding("nothing is created through a link")


def permissions(rng: random.Random, folder: Path) -> None:
    """Runs commands with a umask and checks the permissions of all that they write."""
    outside = Outside.make(folder)
    before = set(folder.rglob("*"))
    umask = rng.choice((0o002, 0o007, 0o022, 0o027, 0o077))
    earlier = os.umask(umask)
    try:
        outcomes = [
            ltbench(*arguments, cwd=folder, seconds=120)
            for arguments in (
                ("run", *SEED, "--tracker", "csv"),
                ("leaderboard", "runs", "--csv", "board.csv"),
                ("report", "runs", "--out", "report"),
                ("plugin", "new", "my_loss", "--kind", "loss"),
            )
        ]
    finally:
        os.umask(earlier)
    for outcome in outcomes:
        graceful(outcome, codes=(0,))
    outside.check(outcomes[-1])
    for path in set(folder.rglob("*")) - before:
        expected = (0o777 if path.is_dir() else 0o666) & ~umask
        found = stat.S_IMODE(path.stat().st_mode)
        if found != expected and ".locks" not in path.parts:
            said = f"{path} has the permissions of the umask {umask:03o}: {found:03o}"
            raise outcomes[-1].finding(said)


def leftovers(rng: random.Random, folder: Path) -> None:
    """Leaves temporary files of killed processes beside those of other runs, and resumes."""
    outside = Outside.make(folder)
    runs = finished_store(folder, 2)
    run, other = sorted(path.parent for path in runs.rglob("result.json"))
    (run / "result.json").unlink()  # interrupted before its end
    dead, live = [], []
    for name in rng.sample(NAMES, 3):
        dead.append(run / f".{name}.{rng.getrandbits(64):016x}.part")
        live.append(other / f".{name}.{rng.getrandbits(64):016x}.part")
    dead.append(run.parent / f".{run.name}.{rng.getrandbits(64):016x}.part")
    live.append(run.parent / f".{other.name}.{rng.getrandbits(64):016x}.part")
    for path in (*dead, *live):
        if rng.random() < 0.3:
            path.symlink_to(outside.folder / "folder")
        elif rng.random() < 0.5:
            path.mkdir()
            (path / "file").touch()
        else:
            path.touch()
    seed = (run / "spec.json").read_text().partition('"seed": ')[2].partition("\n")[0].strip(", ")
    method = run.parent.name
    outcome: Outcome = ltbench(
        *("run", "--method", method, "--epochs", "1", "--seed", seed), cwd=folder, seconds=120
    )
    graceful(outcome, codes=(0,))
    if left := [path for path in dead if path.is_symlink() or path.exists()]:
        raise outcome.finding(f"temporary files of killed processes are removed: {left[0]}")
    if lost := [path for path in live if not path.is_symlink() and not path.exists()]:
        raise outcome.finding(f"those of other runs are kept: {lost[0]}")


ATTACKS = (
    Attack(
        "planted_links",
        "Links of predictable names lead to files of the user; none is written through",
        planted_links,
    ),
    Attack("umasks", "Files and folders have the permissions that the umask leaves", permissions),
    Attack(
        "leftovers",
        "Temporary files of killed processes go when the run is resumed; those of others stay",
        leftovers,
    ),
)
