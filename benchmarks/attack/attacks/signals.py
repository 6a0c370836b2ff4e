"""Signals to a run with loader workers: at random, and at points of its execution."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ForkedCommand, ltbench_process
from benchmarks.attack.outcome import Outcome
from benchmarks.attack.signalled import (
    EVENTS,
    POINT,
    RUN,
    SECONDS,
    arm,
    check_interrupted,
    make_images,
    undisturbed,
    wait_for_handlers,
)

_MODULE = ("-m", "benchmarks.attack.signalled")
_ROOT = Path(__file__).parents[3]
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_MOST = {"import": 300, "open": 120, "rename": 12, "remove": 8, "exit": 0}  # numbers of events
_FORKS = 6


def _cache(random: Random) -> tuple[str, str]:
    return "--cache", random.choice(("0", "0.1"))


def _send(random: Random, pid: int) -> None:
    """Sends a signal to a process, or to its group as a terminal does; now and then two."""
    number = random.choice(_SIGNALS)
    send = random.choice((os.kill, os.killpg))
    times = random.choice((1, 1, 1, 2))
    for _ in range(times):
        try:
            send(pid, number)
        except ProcessLookupError:
            return
        time.sleep(random.uniform(0, 0.3) if times > 1 else 0)


def _at_random(random: Random, folder: Path) -> None:
    undisturbed()
    make_images(folder)
    command = ForkedCommand((*RUN, *_cache(random)), folder)
    wait_for_handlers(command.pid)
    time.sleep(random.uniform(0, 2.0))
    _send(random, command.pid)
    check_interrupted(command.outcome(SECONDS), command.pid, folder)


def _point(random: Random) -> str:
    event = random.choice(EVENTS)
    number = random.randint(0, _MOST.get(event, _FORKS))
    return f"{event} {number} {random.choice(_SIGNALS).name}"


def _at_point(random: Random, folder: Path) -> None:
    point = _point(random)
    if point.startswith("import"):  # of which a warm process has few left
        _in_new_process(random, folder, point)
        return
    undisturbed()
    make_images(folder)
    command = ForkedCommand((*RUN, *_cache(random)), folder, first=partial(arm, point))
    check_interrupted(command.outcome(SECONDS), command.pid, folder)


def _new_process(random: Random, folder: Path) -> None:
    _in_new_process(random, folder, point="")


def _in_new_process(random: Random, folder: Path, point: str) -> None:
    """Sends a signal at a point of a new interpreter, or at random once its handler stands."""
    undisturbed()
    make_images(folder)
    arguments = (*RUN, *_cache(random))
    env = {POINT: point, "PYTHONPATH": str(_ROOT)}
    before = _MODULE if point else ("-m", "ltbench")
    with ltbench_process(*arguments, cwd=folder, env=env, before=before) as process:
        if not point:
            wait_for_handlers(process.pid)
            time.sleep(random.uniform(0, 12.0) * random.random())
            _send(random, process.pid)
        start = time.perf_counter()
        out, err = process.communicate(timeout=120)
    seconds = time.perf_counter() - start
    outcome = Outcome(arguments, process.returncode, out, err, seconds, 0.0, 0.0)
    check_interrupted(outcome, process.pid, folder)


ATTACKS = (
    Attack(
        "signal_at_random",
        "SIGINT or SIGTERM to a run with loader workers, at a random moment: 130, or 0 with the "
        "result; no traceback, no process left; resumed with the same bits",
        _at_random,
        share=30.0,
        least=500,
    ),
    Attack(
        "signal_at_point",
        "The same at forks, imports, writes and exit",
        _at_point,
        share=15.0,
        least=200,
    ),
    Attack(
        "signal_to_new_process",
        "The same to a new interpreter, once its handler stands",
        _new_process,
        share=6.0,
        least=20,
    ),
)
