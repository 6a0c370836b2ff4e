"""Runs that receive a signal: at a moment, or at a point of their own execution."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from PIL import Image

from benchmarks.attack.attack import Finding
from benchmarks.attack.command import ForkedCommand
from benchmarks.attack.outcome import Outcome
from benchmarks.attack.stores import BUILD, UNDISTURBED

RUN = (
    *("run", "--dataset", "folder", "--set", "dataset.path=images", "--method", "full"),
    *("--epochs", "2", "--batch-size", "16", "--workers", "2", "--out", "runs", "--json"),
)
POINT = "LTBENCH_ATTACK_POINT"
"""Variable with the point of a signal, `EVENT NUMBER SIGNAL`."""

EVENTS = ("before fork", "after fork", "in child", "import", "open", "rename", "remove", "exit")
_AUDITED = {"import": "import", "open": "open", "os.rename": "rename", "os.remove": "remove"}
SECONDS = 90.0  # for a run on a loaded machine
_BROKEN = re.compile("Traceback|Exception ignored|Error in atexit")


def make_images(folder: Path) -> None:
    """Writes a small data set of image files to `folder/images`: loader workers read files."""
    generator = np.random.default_rng(0)
    for split, images in (("train", 24), ("test", 6)):
        for label in range(3):
            place = folder / "images" / split / f"class_{label}"
            place.mkdir(parents=True)
            for number in range(images // (label + 1)):
                pixels = generator.integers(0, 256, (40, 40, 3), np.uint8)
                Image.fromarray(pixels).save(place / f"{number}.png")


def undisturbed(command: Sequence[str] = RUN) -> Mapping[str, Any]:
    """Returns the metrics of an undisturbed run, by the hash of the run; made once a campaign."""
    kept = UNDISTURBED
    with FileLock(BUILD / "undisturbed.lock"):
        if not kept.exists():
            folder = BUILD / "undisturbed"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            make_images(folder)
            done = ForkedCommand(command, folder).outcome(SECONDS)
            if done.code:
                raise done.finding("an undisturbed run ends with 0")
            kept.write_text(json.dumps(stored_metrics(folder)))
    metrics: dict[str, Any] = json.loads(kept.read_text())
    return metrics


def stored_metrics(folder: Path) -> dict[str, Any]:
    """Returns the metrics of the stored results below a folder, by hash."""
    results = [json.loads(path.read_text()) for path in folder.rglob("result.json")]
    return {result["hash"]: result["metrics"] for result in results}


def wait_for_handlers(pid: int) -> None:
    """Waits until a process has a handler of SIGTERM, or has ended."""
    while True:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        caught = int(status.split("SigCgt:")[1].split()[0], 16)
        if caught >> (signal.SIGTERM - 1) & 1 or "State:\tZ" in status:
            return
        time.sleep(0.001)


def check_command(outcome: Outcome) -> None:
    """Checks how a command ended that may have received a signal.

    Raises:
        Finding: A promise is broken.
    """
    if outcome.code not in (0, 130):
        raise outcome.finding("130, or 0 if the work was done")
    if _BROKEN.search(outcome.err):
        raise outcome.finding("no traceback")
    if outcome.code == 130 and "error: interrupted" not in outcome.err:
        raise outcome.finding("an interruption is named")


def check_gone(session: int) -> None:
    """Checks that no process of a session is left.

    Raises:
        Finding: One is left.
    """
    if left := list(_session(session)):
        raise Finding(f"no process is left, but {left}")


def check_interrupted(outcome: Outcome, session: int, folder: Path) -> None:
    """Checks a run after a signal, and that the same command then gives the same bits.

    Args:
        outcome: Outcome of the command.
        session: Id of its session.
        folder: Its working folder.

    Raises:
        Finding: A promise is broken.
    """
    check_command(outcome)
    check_gone(session)
    if outcome.code == 0 and json.loads(outcome.out)["hash"] not in stored_metrics(folder):
        raise outcome.finding("0 with the stored result printed")
    again = ForkedCommand(outcome.arguments, folder).outcome(SECONDS)
    if again.code or again.err.count("Traceback"):
        raise again.finding(f"the same command resumes a run after {outcome.err[-300:]!r}")
    if stored_metrics(folder) != undisturbed():
        raise again.finding("the same bits as an undisturbed run")


def _session(session: int) -> Iterator[str]:
    """Yields the processes of a session that are left, after a moment to end."""
    end = time.monotonic() + 2.0
    while True:
        left = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, fields = path.read_text().rpartition(")")
            except OSError:
                continue
            if fields.split()[3] == str(session) and fields.split()[0] != "Z":
                left.append(name)
        if not left or time.monotonic() > end:
            yield from left
            return
        time.sleep(0.05)


def arm(point: str) -> None:
    """Lets this process send itself a signal at a point of its execution.

    Args:
        point: `EVENT NUMBER SIGNAL`: at the event of this number since the handler stands.
    """
    event, count, name = point.rsplit(" ", 2)
    number, owner = signal.Signals[name], os.getpid()
    left = int(count)

    def happened() -> None:
        nonlocal left
        if left >= 0 and callable(signal.getsignal(signal.SIGTERM)):
            left -= 1
            if left < 0:
                os.kill(owner, number)

    def audit(found: str, _: object) -> None:
        if _AUDITED.get(found) == event and os.getpid() == owner:
            happened()

    hooks: dict[str, Callable[[], None]] = {event: happened} if "fork" in event else {}
    os.register_at_fork(
        before=hooks.get("before fork", _nothing),
        after_in_parent=hooks.get("after fork", _nothing),
        after_in_child=happened if event == "in child" else _nothing,
    )
    if event == "exit":
        atexit.register(happened)
        atexit.register(os.kill, owner, number)
    if event in _AUDITED.values():
        sys.addaudithook(audit)


def _nothing() -> None:
    """Does nothing."""


if __name__ == "__main__":
    if found := os.environ.get(POINT):
        arm(found)
    from ltbench.cli import main

    main()
