"""Trust in plugins: a command loads those that did no harm to the process of their trial."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

from ltbench.registry.marked_processes import is_marked
from ltbench.registry.stamp import stamp_of
from ltbench.registry.trial import fault_of
from ltbench.registry.verdicts import Verdict, Verdicts

MAX_CRASHES = 2
"""Commands that may die in the import of a plugin that does no harm in its trial."""

_exempt: list[Path] = []


def refusal(point: EntryPoint) -> tuple[str, str]:
    """Returns why a plugin must not be loaded, and a remark; each may be empty.

    The plugin is tried if that was not done since its files changed, or if a command died while it
    was imported.
    """
    if is_marked() or _is_exempt(point):
        return "", ""
    verdicts = Verdicts()
    stamp, stored = stamp_of(point), verdicts.read(point)
    crashes = verdicts.crashed(point)
    if stored is not None and stored.stamp == stamp:
        if stored.fault or not crashes:
            return stored.fault, ""
        verdict = replace(stored, crashes=stored.crashes + crashes)
    else:
        verdict = Verdict(point.name, point.dist.name if point.dist else "", stamp)
    if verdict.crashes >= MAX_CRASHES:
        fault = f"{verdict.crashes} commands ended while they loaded it"
    else:
        try:
            fault = fault_of(point)
        except OSError as error:
            return f"it could not be tried: {error.strerror or error}", ""
    verdict = replace(verdict, fault=fault)
    unwritten = verdicts.write(point, verdict)
    return fault, f"is tried by each command: {unwritten}" if unwritten else ""


@contextmanager
def importing(point: EntryPoint) -> Iterator[None]:
    """Marks a plugin as being imported, so that the next command learns of a crash."""
    if is_marked() or _is_exempt(point):
        yield
        return
    verdicts = Verdicts()
    with verdicts.importing(point):
        yield
    stored = verdicts.read(point)
    if stored is not None and stored.crashes:  # crashes count that no success comes between
        verdicts.write(point, replace(stored, crashes=0))


def forget(name: str) -> None:
    """Removes the verdicts on the plugins of an entry point's or distribution's name."""
    Verdicts().forget(name)


@contextmanager
def exempt(folder: Path) -> Iterator[None]:
    """Loads the plugins that are installed in a folder untried, in this process.

    Args:
        folder: Folder of distributions.
    """
    _exempt.append(folder)
    try:
        yield
    finally:
        _exempt.remove(folder)


def _is_exempt(point: EntryPoint) -> bool:
    return point.dist is not None and Path(str(point.dist.locate_file(""))) in _exempt
