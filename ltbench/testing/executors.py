"""Checks of executors."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ltbench.protocols import Ended, Executor, Job
from ltbench.registry.component import Component
from ltbench.specs import ExecutorContext
from ltbench.testing.bench import Bench, Trial, folder, trials
from ltbench.testing.check import Check, bind

_MINUTE = 60.0


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks."""
    functions = (check_slots, check_codes, check_a_crash, check_stop)
    for trial in trials(component):
        yield from bind(f"executor {trial.name}", functions, component, bench, trial)


def _built(component: Component, bench: Bench, trial: Trial) -> Executor:
    ctx = ExecutorContext(jobs=2, device="cpu")
    executor: Executor = component.spec.build(bench.config(trial, component), ctx)
    return executor


def _job(name: str, code: str) -> Job:
    return Job(name, (sys.executable, "-c", code))


def _all_ended(executor: Executor, count: int) -> dict[str, Ended]:
    ended: dict[str, Ended] = {}
    until = time.monotonic() + _MINUTE
    while len(ended) < count and time.monotonic() < until:
        ended |= {one.job: one for one in executor.wait(1.0)}
    assert len(ended) == count, f"{len(ended)} of {count} jobs have ended after a minute"
    return ended


def check_slots(component: Component, bench: Bench, trial: Trial) -> None:
    """It takes as many jobs at the same time as it says, and no more than it was asked to."""
    executor = _built(component, bench, trial)
    assert 1 <= executor.slots <= 2, f"it has {executor.slots} slots, and was asked for 2"
    assert not executor.wait(0.0), "something has ended, and nothing was started"
    with folder() as name:
        for number in range(executor.slots):
            touch = f"import pathlib; pathlib.Path({name!r}, '{number}').touch()"
            executor.start(_job(str(number), touch))
        _all_ended(executor, executor.slots)
        assert len(list(Path(name).iterdir())) == executor.slots, "a job has not been run"
    executor.stop()


def check_codes(component: Component, bench: Bench, trial: Trial) -> None:
    """Exit codes are passed on, or said to be unknown; a job may be started again."""
    executor = _built(component, bench, trial)
    for code in (0, 4, 75, 0):
        executor.start(_job("same", f"raise SystemExit({code})"))
        found = _all_ended(executor, 1)["same"].code
        assert found in (code, None), f"exit code {code} is reported as {found}"
    executor.stop()


def check_a_crash(component: Component, bench: Bench, trial: Trial) -> None:
    """A job that is killed ends with a reason, and the next one is run."""
    executor = _built(component, bench, trial)
    executor.start(_job("crash", "import os; os.kill(os.getpid(), 9)"))
    ended = _all_ended(executor, 1)["crash"]
    assert ended.code != 0, "a killed process has ended well"
    assert ended.reason, "it does not say that the process was killed"
    executor.start(_job("next", "pass"))
    assert _all_ended(executor, 1)["next"].code in (0, None)
    executor.stop()


def check_stop(component: Component, bench: Bench, trial: Trial) -> None:
    """Stopping ends the jobs that are running, soon; stopping again does nothing."""
    executor = _built(component, bench, trial)
    waits = "import sys; sys.stdin.read() if '--leash' in sys.argv else __import__('time').sleep(9)"
    executor.start(_job("long", waits))
    began = time.monotonic()
    executor.stop()
    assert time.monotonic() - began < _MINUTE, "it takes a minute to stop"
    executor.stop()
