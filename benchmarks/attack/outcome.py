"""Outcome of a command under attack, and what a person can act on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.attack.attack import Finding

LONGEST_MESSAGE = 2_000  # characters of an error that a person reads
EXIT_CODES = (0, 1, 2, 3, 4)
TIMED_OUT = -1000
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Outcome:
    """Outcome of a command.

    Args:
        arguments: The command without `ltbench`.
        code: Exit code; negative for the signal that ended it; `TIMED_OUT`.
        out: Standard output.
        err: Standard error.
        seconds: Duration in seconds.
        cpu_seconds: Processor time in seconds.
        peak_mb: Peak resident memory in MB, with that of the imports.
    """

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float
    cpu_seconds: float
    peak_mb: float

    def finding(self, promise: str) -> Finding:
        """Returns the finding that this outcome breaks a promise.

        Args:
            promise: Expected behaviour.
        """
        given = " ".join(self.arguments)
        said = f"exit code {self.code}\nstdout: {self.out[-1_500:]!r}\nstderr: {self.err[-3_000:]}"
        lines = f"{promise}\nltbench {given}\n{said}".splitlines()
        return Finding("\n".join(_shortened(line) for line in lines))


def _shortened(line: str) -> str:
    return line if len(line) < 300 else f"{line[:200]} ... {line[-80:]}"


def graceful(outcome: Outcome, *, codes: Sequence[int] = EXIT_CODES) -> Outcome:
    """Returns an outcome after checking that a person can act on it.

    Raises:
        Finding: It has a traceback, an unknown exit code, an error without its line, a control
            character, or a message that is too long; or it timed out.
    """
    if outcome.code == TIMED_OUT:
        raise outcome.finding(f"ends within {outcome.seconds:.0f} s")
    if "Traceback" in outcome.err or "Traceback" in outcome.out:
        raise outcome.finding("no traceback")
    if outcome.code not in codes:
        raise outcome.finding(f"an exit code of {', '.join(map(str, codes))}")
    if outcome.code and "error:" not in outcome.err:
        raise outcome.finding("an error has its line")
    if outcome.code and len(outcome.err) > LONGEST_MESSAGE:
        raise outcome.finding(f"at most {LONGEST_MESSAGE:,} characters of errors")
    if _CONTROL.search(outcome.out + outcome.err):
        raise outcome.finding("no control characters")
    return outcome
