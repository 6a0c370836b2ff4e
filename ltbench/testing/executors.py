"""Conformance checks of executors."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltbench.contexts import ExecutorContext
from ltbench.errors import ConfigError, RunError
from ltbench.jobs import DetachedExecutor, Ended, Executor, Job
from ltbench.registry.component import Component
from ltbench.testing.bench import Bench, Trial, folder, trials
from ltbench.testing.check import Check, Skipped, bind

MAX_WAIT_SECONDS = 60.0


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of an executor."""
    functions = (check_slots, check_codes, check_a_crash, check_stop)
    for trial in trials(component):
        yield from bind(f"executor {trial.name}", functions, component, bench, trial)


@contextmanager
def _built(component: Component, bench: Bench, trial: Trial) -> Iterator[Executor]:
    """Yields the executor, whose jobs have files in a temporary folder, and stops it."""
    with folder() as out:
        ctx = ExecutorContext(jobs=2, device="cpu", out=Path(out))
        try:
            executor: Executor = component.spec.build(bench.config(trial, component), ctx)
        except (ConfigError, RunError) as error:  # its library or its cluster is not here
            raise Skipped(f"{error.message}; {error.hint}") from error
        yield executor
        executor.stop()


def _job(name: str, code: str) -> Job:
    return Job(name, (sys.executable, "-c", code))


def _all_ended(executor: Executor, count: int) -> dict[str, Ended]:
    ended: dict[str, Ended] = {}
    until = time.monotonic() + MAX_WAIT_SECONDS
    while len(ended) < count and time.monotonic() < until:
        ended |= {one.job: one for one in executor.wait(1.0)}
    assert len(ended) == count, f"{len(ended)} of {count} jobs have ended in a minute"
    return ended


def check_slots(component: Component, bench: Bench, trial: Trial) -> None:
    """The executor runs its jobs at the same time: at most `--jobs`, but for those of a queue."""
    with _built(component, bench, trial) as executor, folder() as name:
        assert executor.slots >= 1, f"slots: expected at least 1, got {executor.slots}"
        if not isinstance(executor, DetachedExecutor):
            assert executor.slots <= 2, f"slots: expected 1 or 2, got {executor.slots}"
        assert not executor.wait(0.0), "a job is reported before one is started"
        count = min(2, executor.slots)
        for number in range(count):
            touch = f"import pathlib; pathlib.Path({name!r}, '{number}').touch()"
            executor.start(_job(str(number), touch))
        _all_ended(executor, count)
        assert len(list(Path(name).iterdir())) == count, "a job was not run"


def check_codes(component: Component, bench: Bench, trial: Trial) -> None:
    """Exit codes are reported, or None; a job may be started again."""
    with _built(component, bench, trial) as executor:
        for code in (0, 4, 75, 0):
            executor.start(_job("same", f"raise SystemExit({code})"))
            found = _all_ended(executor, 1)["same"].code
            assert found in (code, None), f"exit code: expected {code} or None, got {found}"


def check_a_crash(component: Component, bench: Bench, trial: Trial) -> None:
    """A job that is killed ends with a reason, and the next job is run."""
    with _built(component, bench, trial) as executor:
        executor.start(_job("crash", "import os; os.kill(os.getpid(), 9)"))
        ended = _all_ended(executor, 1)["crash"]
        assert ended.code != 0, "a killed process is reported with exit code 0"
        assert ended.reason, "the reason of a killed process is empty"
        executor.start(_job("next", "pass"))
        assert _all_ended(executor, 1)["next"].code in (0, None)


def check_stop(component: Component, bench: Bench, trial: Trial) -> None:
    """Stopping ends the running jobs within a minute; stopping again does nothing."""
    waits = "import sys, time; sys.stdin.read() if '--stop-on-eof' in sys.argv else time.sleep(9)"
    with _built(component, bench, trial) as executor:
        executor.start(_job("long", waits))
        began = time.monotonic()
        executor.stop()
        assert time.monotonic() - began < MAX_WAIT_SECONDS, "stopping takes a minute"
        executor.stop()
