"""Launcher of the ranks of a run on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from ltbench.errors import RunError, shortened
from ltbench.io import interrupts
from ltbench.ranks.place import LOST, last_words, variables_of

EXIT_SECONDS = 20.0  # from the end of the first rank, or a signal, until the others are killed
_POLL_SECONDS = 0.05
_MAX_SHOWN_CHARACTERS = 600  # of the output of a rank that died


@dataclass
class _Rank:
    """A process of the run.

    Args:
        number: Its rank.
        process: The process.
        log: File with its output; None for the leading rank, which writes to the terminal.
        last_words: File in which it tells why it lost the others.
    """

    number: int
    process: subprocess.Popen[bytes]
    log: Path | None
    last_words: Path


@dataclass
class Launcher:
    """Ranks of a run, which end together.

    The ranks have sessions of their own: a terminal interrupts this process alone, which passes
    each signal on once. They end when this process ends.

    Args:
        command: Command that each rank executes.
        size: Number of ranks.
    """

    command: Sequence[str]
    size: int
    _ranks: list[_Rank] = field(default_factory=list)

    def run(self) -> int:
        """Starts the ranks, waits for all of them, and returns their exit code.

        Raises:
            RunError: A rank ended without telling the others why: with its number.
        """
        with interrupts.deferred(2 * EXIT_SECONDS), self._started():
            first = self._wait()
            code = first.process.returncode if first else 0
            # Ranks that end with an error of all have one exit code, and the leading one shows it.
            shown = code >= 0 and code == self._ranks[0].process.returncode != LOST
            if first is not None and not shown:
                raise self._lost(first)
            interrupts.finish(code)
            return code

    @contextmanager
    def _started(self) -> Iterator[None]:
        """Runs the ranks during the block, and kills those that are left."""
        with ExitStack() as stack:
            made = tempfile.TemporaryDirectory(prefix="ltbench-ranks-", ignore_cleanup_errors=True)
            stack.enter_context(interrupts.cleaned_up(made.cleanup))
            folder = Path(made.name)
            meeting = str(folder / "meeting")
            end, leash = os.pipe()
            stack.callback(os.close, leash)
            stack.callback(os.close, end)
            stack.callback(self._kill)
            for number in range(self.size):
                log = folder / f"rank-{number}.log" if number else None
                with log.open("wb") if log else nullcontext() as output:
                    process = subprocess.Popen(
                        self.command,
                        stdin=end,
                        stdout=output,
                        stderr=output,
                        env=self._environment(number, meeting),
                        start_new_session=True,
                    )
                words = last_words(meeting, number)
                self._ranks.append(_Rank(number, process, log, words))
            yield

    def _environment(self, number: int, meeting: str) -> dict[str, str]:
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        chosen = {
            # All ranks are on this machine; they share its cores.
            "OMP_NUM_THREADS": str(max(1, cores // self.size)),
            **({"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}),
        }
        return {**chosen, **os.environ, **variables_of(number, self.size, meeting)}

    def _wait(self) -> _Rank | None:
        """Waits until all ranks have ended; returns the first that failed, or None."""
        first: _Rank | None = None
        until: float | None = None
        told = False
        while running := [one for one in self._ranks if one.process.poll() is None]:
            first = first or self._failed()
            if interrupts.requested() and not told:
                told = True
                for one in running:
                    one.process.terminate()  # SIGINT is ignored in the background
            if until is None and (told or any(one.process.returncode for one in self._ranks)):
                until = time.monotonic() + EXIT_SECONDS
            if until is not None and time.monotonic() > until:
                first = first or self._first_lost()  # not one of those that are killed now
                self._kill()
            time.sleep(_POLL_SECONDS)
        return first or self._failed() or self._first_lost()

    def _failed(self) -> _Rank | None:
        """Returns a rank that has failed, and not because another one was lost; or None."""
        codes = ((one, one.process.poll()) for one in self._ranks)
        return next((one for one, code in codes if code and code != LOST), None)

    def _first_lost(self) -> _Rank | None:
        """Returns the first rank that lost the others: where an exchange failed; or None."""
        lost = [one for one in self._ranks if one.process.returncode]
        told = [one for one in lost if one.last_words.exists()]
        if told:
            return min(told, key=lambda one: one.last_words.stat().st_mtime_ns)
        return next(reversed(lost), None)  # the output of the leading rank is shown already

    def _kill(self) -> None:
        for one in self._ranks:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait()

    def _lost(self, rank: _Rank) -> RunError:
        code = rank.process.returncode
        ended = f"ended with code {code}"
        if code < 0:
            ended = f"was killed by {signal.Signals(-code).name}"
        if code == LOST:
            ended = "lost the others"
        source = rank.last_words if rank.last_words.exists() else rank.log
        text = source.read_text(errors="replace").strip() if source else ""
        shown = f": {shortened(text, _MAX_SHOWN_CHARACTERS)}" if text else ""
        return RunError(
            f"rank {rank.number} of {self.size} {ended}{shown}",
            hint="the same command resumes the run after its last whole epoch",
        )
