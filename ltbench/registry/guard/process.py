"""Guard of the process while a plugin is loaded: what the plugin changes is found and undone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ltbench.registry.guard.module_changes import ModuleState
from ltbench.registry.guard.process_settings import changed, settings
from ltbench.registry.guard.record import Guarded
from ltbench.registry.guard.standard_streams import away_from_stdout


@contextmanager
def guarded(plugin: str, own: frozenset[str], found: Guarded) -> Iterator[None]:
    """Guards the process while a plugin is loaded.

    Args:
        plugin: Package of the plugin.
        own: Packages of ltbench.
        found: Record of what happens.
    """
    with _signals(found):
        modules = ModuleState(own)
        before = settings()
        try:
            with away_from_stdout(found.harm):
                yield
        finally:
            found.harm += modules.restore_builtins()
            found.undone += changed(before)
            found.harm += modules.restore(plugin)


@contextmanager
def _signals(found: Guarded) -> Iterator[None]:
    """Restores signal handlers, and notes an interruption: a plugin may raise the same error."""
    if threading.current_thread() is not threading.main_thread():  # which alone has handlers
        yield
        return
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    timer = signal.getitimer(signal.ITIMER_REAL)

    def note(number: int, frame: FrameType | None) -> None:
        found.interrupted = True
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    noted = {one for one in (signal.SIGINT, signal.SIGTERM) if callable(before[one])}
    for number in noted:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            now = signal.getsignal(number)
            if now is not (note if number in noted else handler):
                found.undone.append(f"the handler of {_name(number)}")
            if now is not handler and handler is not None:  # None: set by C code
                signal.signal(number, handler)
        if timer == (0.0, 0.0) and signal.getitimer(signal.ITIMER_REAL) != timer:
            signal.setitimer(signal.ITIMER_REAL, 0)
            found.undone.append("the timer")
        if signal.pthread_sigmask(signal.SIG_SETMASK, mask) != mask:
            found.undone.append("the blocked signals")


def _name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
