"""Verification of all packs of some contributors, in a temporary store."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ltbench.board.contributors import Contributions
from ltbench.board.verification import CheckedPack, PackVerifier, Refusal
from ltbench.io.interrupts import check, cleaned_up


@dataclass(frozen=True)
class Stage:
    """Progress callbacks of a build.

    Args:
        begin: Called with the description of a stage and its number of steps.
        advance: Called after each step.
    """

    begin: Callable[[str, int], object] = lambda text, total: None
    advance: Callable[[], object] = lambda: None


@contextmanager
def temporary_store() -> Iterator[Path]:
    """Yields an empty folder, which is removed at the end, also where a signal ends the process."""
    store = Path(tempfile.mkdtemp(prefix="ltbench-board-"))
    with cleaned_up(lambda: shutil.rmtree(store, ignore_errors=True)):
        yield store


def verify_packs(
    contributions: Contributions, verifier: PackVerifier, stage: Stage
) -> list[CheckedPack]:
    """Returns the outcome for each pack: those in their place in order, then the others.

    Args:
        contributions: Contributors and their packs.
        verifier: Verifier, which has seen no pack.
        stage: Progress callbacks.

    Raises:
        RunError: The packs cannot be unpacked: no space in the folder for temporary files.
    """
    stage.begin("verifying packs", contributions.packs)
    packs = []
    for one in contributions.each:
        name = one.contributor.name
        for archive in one.packs:
            check()
            if one.fault:
                packs.append(_refused(f"{name}/{archive.name}", one.fault))
            else:
                packs.append(verifier.verify(archive, name))
            stage.advance()
    for pack, reason in contributions.misplaced:
        packs.append(_refused(pack, reason))
        stage.advance()
    return packs


def _refused(pack: str, reason: str) -> CheckedPack:
    return CheckedPack(pack, (), (Refusal(pack, "", reason),))
