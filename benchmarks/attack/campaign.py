"""Campaign: many trials of many attacks, in worker processes, for a time."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.attack.attack import Attack, Finding, Impossible
from benchmarks.attack.attacks import every_attack
from benchmarks.attack.stores import BUILD


@dataclass(frozen=True)
class Trial:
    """One trial of an attack.

    Args:
        name: Name of the attack.
        number: Number of the trial, from 0.
        seconds: Duration in seconds.
        finding: Description of a broken promise; empty where all held.
        impossible: Reason why the attack cannot be made here; empty where it can.
    """

    name: str
    number: int
    seconds: float
    finding: str = ""
    impossible: str = ""


@dataclass
class Tally:
    """Trials of an attack so far.

    Args:
        attack: The attack.
        first: Number of its first trial.
        started: Number of trials that were started.
        seconds: Time spent on it, in seconds.
        trials: Number of trials that ended.
        findings: Trials that found something.
        impossible: Reason why the attack cannot be made here; empty where it can.
    """

    attack: Attack
    first: int = 0
    started: int = 0
    seconds: float = 0.0
    trials: int = 0
    findings: list[Trial] = field(default_factory=list)
    impossible: str = ""

    def add(self, trial: Trial) -> None:
        """Counts a trial that ended."""
        self.seconds += trial.seconds
        if trial.impossible:
            self.impossible = trial.impossible
            return
        self.trials += 1
        if trial.finding:
            self.findings.append(trial)


@dataclass
class Campaign:
    """Trials of attacks.

    Args:
        attacks: The attacks.
        seed: Seed from which each trial draws.
        hours: Time for all attacks, shared among them; None: until `trials` are made.
        trials: Number of trials of each attack; None: as many as the time allows.
        first: Number of the first trial of each attack.
        jobs: Number of worker processes.
    """

    attacks: Sequence[Attack]
    seed: int = 0
    hours: float | None = 1.0
    trials: int | None = None
    first: int = 0
    jobs: int = 2

    def run(self, tell: Callable[[Tally, Trial], None]) -> list[Tally]:
        """Makes the trials and returns their tallies.

        Args:
            tell: Function that is called after each trial.
        """
        tallies = {attack.name: Tally(attack, self.first) for attack in self.attacks}
        start = time.monotonic()
        waiting: set[Future[Trial]] = set()
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.jobs, mp_context=context) as pool:
            while True:
                over = self.hours is not None and time.monotonic() - start > self.hours * 3600
                while len(waiting) < self.jobs:
                    tally = self._next(list(tallies.values()), over=over)
                    if tally is None:
                        break
                    number = tally.first + tally.started
                    tally.started += 1
                    waiting.add(pool.submit(make_trial, tally.attack.name, self.seed, number))
                if not waiting:
                    return list(tallies.values())
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    trial = future.result()
                    tallies[trial.name].add(trial)
                    tell(tallies[trial.name], trial)

    def _next(self, tallies: Sequence[Tally], *, over: bool) -> Tally | None:
        """Returns the attack that had the least of its share of the time; None at the end."""
        left = [
            one
            for one in tallies
            if not one.impossible
            and (self.trials is None or one.started < self.trials)
            and (not over or one.started < one.attack.least)
        ]
        return min(left, key=_progress, default=None)


def _progress(tally: Tally) -> tuple[bool, float]:
    """Returns what orders attacks: first those below their least, then by the time they had."""
    mean = tally.seconds / tally.trials if tally.trials else 1.0
    spent = tally.seconds + mean * (tally.started - tally.trials)
    return tally.started > 0, spent / tally.attack.share


def make_trial(name: str, seed: int, number: int) -> Trial:
    """Makes one trial; what a finding left is kept in `build/attack/<name>-<number>`.

    Args:
        name: Name of the attack.
        seed: Seed of the campaign.
        number: Number of the trial.
    """
    attack = every_attack()[name]
    folder = Path(tempfile.mkdtemp(prefix="ltbench-attack-"))
    start = time.perf_counter()
    finding = impossible = ""
    try:
        attack.trial(attack.random(seed, number), folder)
    except Finding as error:
        finding = str(error)
    except Impossible as error:
        impossible = str(error)
    except Exception:
        finding = f"the attack itself is broken\n{traceback.format_exc()}"
    seconds = time.perf_counter() - start
    if finding:
        kept = BUILD / f"{name}-{number}"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        (kept / "finding.txt").write_text(finding, errors="replace")
        _keep(folder, kept / "files")
    shutil.rmtree(folder, ignore_errors=True)
    return Trial(name, number, seconds, finding, impossible)


def _keep(folder: Path, to: Path) -> None:
    """Copies what a trial left, as far as it can be read."""
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink() and path.stat().st_size < 2**24:
                target = to / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        except OSError:
            continue  # hostile names, or no permission: the number of the trial makes it again
