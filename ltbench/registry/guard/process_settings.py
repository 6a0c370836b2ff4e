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
        try:
            same = setting.value() == value
        except Exception:  # it is no such value any more, as after `sys.argv = None`
            same = False
        if not same and setting.restore(value) is not False:
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


def _environment() -> tuple[Any, dict[str, str]]:
    return os.environ, dict(os.environ)


def _reset_environment(before: tuple[Any, dict[str, str]]) -> bool:
    """Restores changed and removed variables; added ones stay, for libraries read them."""
    replaced = os.environ is not before[0]
    os.environ = before[0]  # noqa: B003 - the object that was replaced
    lost = {name: value for name, value in before[1].items() if os.environ.get(name) != value}
    os.environ.update(lost)
    return bool(lost) or replaced


def _reset_warnings(before: tuple[Any, list[Any]]) -> bool:
    """Removes added filters that turn warnings into errors; others concern the plugin's library."""
    replaced = not isinstance(warnings.filters, list)
    now: list[Any] = before[0] if replaced else warnings.filters  # type: ignore[assignment]
    kept = [one for one in now if one in before[1] or one[0] != "error"]
    if len(kept) == len(now) and not replaced:
        return False
    now[:] = kept
    warnings.filters = now
    with warnings.catch_warnings():
        pass  # leaving the block invalidates the caches of the filters
    return True


def _switch_gc(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()


def _attribute(name: str) -> _Setting:
    return _Setting(
        f"sys.{name}", lambda: getattr(sys, name, None), lambda value: setattr(sys, name, value)
    )


def _entries(name: str) -> _Setting:
    """Returns a list of `sys` as a setting: removed entries are restored, added ones stay."""

    def value() -> tuple[list[Any], list[Any]]:
        entries = getattr(sys, name)
        return entries, [*entries]

    def restore(before: tuple[list[Any], list[Any]]) -> bool:
        entries, present = before
        now = getattr(sys, name)
        added = [one for one in now if one not in present] if isinstance(now, list) else []
        lost = not isinstance(now, list) or any(one not in now for one in present)
        setattr(sys, name, entries)
        entries[:] = [*present, *added] if lost else now
        return lost

    return _Setting(f"sys.{name}", value, restore)


def _reset_arguments(before: list[str]) -> None:
    sys.argv = before


_SETTINGS = (
    _Setting("the working directory", _folder, _enter),
    _Setting("the umask", _umask, os.umask),
    _Setting("environment variables", _environment, _reset_environment),
    _Setting("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    _Setting("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
    _Setting("the garbage collection", gc.isenabled, _switch_gc),
    _Setting(
        "the filters of warnings", lambda: (warnings.filters, [*warnings.filters]), _reset_warnings
    ),
    _Setting("the trace function", sys.gettrace, sys.settrace),
    _Setting("the profile function", sys.getprofile, sys.setprofile),
    _Setting("sys.argv", lambda: [*sys.argv], _reset_arguments),
    *map(_entries, ("path", "meta_path", "path_hooks")),
    *map(_attribute, ("excepthook", "displayhook", "unraisablehook")),
)
