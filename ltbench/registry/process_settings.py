"""Settings of the process that a plugin may change while it is loaded, and how they are undone."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple


class _Setting(NamedTuple):
    """A setting: its name for messages, its value, and the function that sets it."""

    name: str
    value: Callable[[], Any]
    restore: Callable[[Any], object]


def settings() -> list[Any]:
    """Returns the values of all settings."""
    return [setting.value() for setting in _SETTINGS]


def changed(before: list[Any]) -> list[str]:
    """Undoes changes, and returns the names of the changed settings.

    Args:
        before: Values that `settings` returned.
    """
    found = []
    for setting, value in zip(_SETTINGS, before, strict=True):
        if setting.value() != value and setting.restore(value) is not False:
            found.append(setting.name)
    return found


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as `chdir` takes it
    except OSError:  # removed by another process
        return ""


def _enter(folder: str) -> None:
    if folder:
        with suppress(OSError):
            os.chdir(folder)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _reset_environment(before: dict[str, str]) -> bool:
    """Restores changed and removed variables; added ones stay, for libraries read them."""
    lost = {name: value for name, value in before.items() if os.environ.get(name) != value}
    os.environ.update(lost)
    return bool(lost)


def _reset_entries(entries: Callable[[], list[Any]]) -> Callable[[list[Any]], bool]:
    """Returns the function that restores removed entries of a list; added ones stay."""

    def restore(before: list[Any]) -> bool:
        now = entries()
        lost = [one for one in before if one not in now]
        now[:] = now if not lost else [*before, *(one for one in now if one not in before)]
        return bool(lost)

    return restore


def _reset_warnings(before: list[Any]) -> bool:
    """Removes added filters that turn warnings into errors; others concern the plugin's library."""
    kept = [one for one in warnings.filters if one in before or one[0] != "error"]
    if len(kept) == len(warnings.filters):
        return False
    warnings.filters[:] = kept  # type: ignore[index]
    with warnings.catch_warnings():
        pass  # leaving the block invalidates the caches of the filters
    return True


def _switch_gc(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()


def _attribute(name: str) -> _Setting:
    return _Setting(
        f"sys.{name}", lambda: getattr(sys, name, None), lambda value: setattr(sys, name, value)
    )


_SETTINGS = (
    _Setting("the working directory", _folder, _enter),
    _Setting("the umask", _umask, os.umask),
    _Setting("environment variables", lambda: dict(os.environ), _reset_environment),
    _Setting("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    _Setting("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
    _Setting("the garbage collection", gc.isenabled, _switch_gc),
    _Setting("the filters of warnings", lambda: [*warnings.filters], _reset_warnings),
    _Setting("the trace function", sys.gettrace, sys.settrace),
    _Setting("the profile function", sys.getprofile, sys.setprofile),
    _Setting("sys.path", lambda: [*sys.path], _reset_entries(lambda: sys.path)),
    _Setting("sys.meta_path", lambda: [*sys.meta_path], _reset_entries(lambda: sys.meta_path)),
    _Setting("sys.path_hooks", lambda: [*sys.path_hooks], _reset_entries(lambda: sys.path_hooks)),
    _Setting("sys.argv", lambda: [*sys.argv], lambda value: setattr(sys, "argv", value)),
    *map(_attribute, ("excepthook", "displayhook", "unraisablehook")),
)
