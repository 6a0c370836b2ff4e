"""Archives of runs from others, and removal of runs behind links."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.attack.attack import Attack
from benchmarks.attack.attacks import archives
from benchmarks.attack.attacks.stored_files import ODD, mutated, sign
from benchmarks.attack.command import ltbench
from benchmarks.attack.mutation import damaged
from benchmarks.attack.outcome import graceful
from benchmarks.attack.outside import Outside
from benchmarks.attack.stores import finished_store

MEMORY_MB = 800
Members = dict[str, bytes]


def _changed_run(rng: random.Random, members: Members) -> None:
    """Changes a value in a JSON file of a run, and makes its hash again."""
    name = rng.choice([name for name in members if name.endswith(".json") and "/" in name])
    value = mutated(rng, json.loads(members[name]))
    if isinstance(value, dict):
        sign(value)
    members[name] = json.dumps(value).encode()


def _changed_bytes(rng: random.Random, members: Members) -> None:
    name = rng.choice([name for name in members if "/" in name])
    members[name] = damaged(rng, members[name])


def _changed_manifest(rng: random.Random, members: Members) -> None:
    manifest = json.loads(members["manifest.json"])
    run = rng.choice(manifest["runs"])
    draw = rng.random()
    if draw < 0.3:
        run["folder"] = rng.choice((*ODD, "../..", "a/b/c/" + "0" * 12, run["folder"] + "/.."))
    elif draw < 0.6:
        run["files"][rng.choice(("../x", "a/b", "learned.safetensors", "", "\0"))] = "0" * 64
    else:
        manifest = mutated(rng, manifest)
    members["manifest.json"] = json.dumps(manifest).encode()


def _other_names(rng: random.Random, members: Members) -> None:
    for name in rng.sample([name for name in archives.NAMES if name], 3):
        members[name.encode("utf-8", "replace").decode()] = b"x"


def _sign_files(members: Members) -> None:
    """Writes the SHA-256 of the files, as they are after the change, into the manifest."""
    manifest = json.loads(members["manifest.json"])
    for run in manifest["runs"]:
        for name in run["files"]:
            content = members.get(f"{run['folder']}/{name}", b"")
            run["files"][name] = hashlib.sha256(content).hexdigest()
    members["manifest.json"] = json.dumps(manifest).encode()


def _try_members(rng: random.Random, folder: Path) -> None:
    finished_store(folder, 3)
    graceful(ltbench("runs", "pack", "runs", "whole.zip", cwd=folder), codes=(0,))
    with zipfile.ZipFile(folder / "whole.zip") as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    change = rng.choice((_changed_run, _changed_run, _changed_bytes))
    for _ in range(rng.choice((1, 1, 3))):
        change(rng, members)
    if rng.random() < 0.8:
        _sign_files(members)
    for other in (_changed_manifest, _other_names):
        if rng.random() < 0.2:
            other(rng, members)
    with zipfile.ZipFile(folder / "pack.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    _check_added(folder)


def _try_archive(rng: random.Random, folder: Path) -> None:
    makers = (archives.members, archives.zipped, archives.mutated, archives.bomb)
    (folder / "pack.zip").write_bytes(rng.choice(makers)(rng))
    _check_added(folder)


def _check_added(folder: Path) -> None:
    """Adds an archive, and checks that the store has whole runs and nothing else."""
    outside = Outside.make(folder)
    outcome = ltbench("runs", "add", "pack.zip", "--out", "new", cwd=folder, memory_mb=MEMORY_MB)
    graceful(outcome, codes=(0, 4))
    outside.check(outcome)
    if (folder / "new" / ".adding").exists():
        raise outcome.finding("what was unpacked is removed")
    listed = graceful(ltbench("runs", "list", "new", "--json", "--strict", cwd=folder))
    if listed.code:
        raise listed.finding("every added run can be read")


def _try_removal(rng: random.Random, folder: Path) -> None:
    store, outside = finished_store(folder, 3), Outside.make(folder)
    run = rng.choice(sorted(path.parent for path in store.rglob("result.json")))
    places: tuple[Callable[[], Path], ...] = (
        lambda: store / ".trash",
        lambda: store / ".locks",
        lambda: run / "checkpoint",
        lambda: run / "tags.json",
        lambda: run,
    )
    place = rng.choice(places)()
    if place == run:
        shutil.rmtree(run)
    place.symlink_to(outside.folder / rng.choice(("file", "folder")))
    verbs = (
        ("rm", "runs", "--yes"),
        ("rm", str(run), "--yes"),
        ("tag", "runs", "a=x"),
        ("rm", "--empty-trash", "--yes"),
    )
    for verb in rng.sample(verbs, 2):
        outcome = graceful(ltbench("runs", *verb, cwd=folder))
        outside.check(outcome)


ATTACKS = (
    Attack(
        "pack_members", "Changed runs in an archive, with its checksums made again", _try_members
    ),
    Attack("pack_archives", "Hostile archives, added as runs", _try_archive),
    Attack("removed_runs", "Runs removed and tagged where links lead elsewhere", _try_removal),
)
