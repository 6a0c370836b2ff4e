"""Checks of a plugin as a whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ltbench.registry.component import PluginInfo
from ltbench.registry.inspect_source import private_imports, source_of
from ltbench.registry.load import MAX_LOAD_SECONDS
from ltbench.registry.registry import Registry
from ltbench.testing.check import Check, Skipped, bind


def checks(plugin: PluginInfo, registry: Registry) -> Iterator[Check]:
    """Yields the checks of a plugin."""
    subject = f"plugin {plugin.name}"
    yield from bind(subject, (check_public_imports, check_light_imports, check_load_time), plugin)
    yield from bind(subject, (check_no_warnings,), plugin, registry)


def check_public_imports(plugin: PluginInfo) -> None:
    """The plugin imports only public modules of ltbench: all others may change at any time."""
    if plugin.distribution == "ltbench":
        raise Skipped("the plugin is part of ltbench")
    found = [f"{one.name} ({one.place})" for one in private_imports(plugin.module)]
    assert not found, f"private imports: {', '.join(found)}"


def check_light_imports(plugin: PluginInfo) -> None:
    """Importing the plugin loads no torch, timm, open_clip or transformers: `ltbench list` is fast.

    Import them where they are used: inside `build`, or in a module that `build` imports.
    """
    heavy, _ = _imported(plugin.module, source_of(plugin.module))
    assert not heavy, f"importing {plugin.module} loads {heavy}"


def check_load_time(plugin: PluginInfo) -> None:
    """Importing the plugin takes less than a second, because every command imports it."""
    _, seconds = _imported(plugin.module, source_of(plugin.module))
    assert seconds < MAX_LOAD_SECONDS, f"importing {plugin.module} takes {seconds:.1f} s"


def check_no_warnings(plugin: PluginInfo, registry: Registry) -> None:
    """The plugin uses no deprecated part of the plugin API."""
    # Slow loading has a check of its own, which measures it without other work.
    found = [one.text for one in registry.warnings if one.plugin == plugin]
    found = [text for text in found if "to load, and every command" not in text]
    assert not found, "; ".join(found)


@cache
def _imported(module: str, source: Path | None) -> tuple[str, float]:
    """Returns the heavy packages that a module loads, and its seconds beyond ltbench's own.

    The faster of two tries, in separate processes: the first may read from a cold disk.
    """
    code = (
        "import sys, time, importlib, numpy, pyarrow\n"
        "import ltbench.protocols, ltbench.registry.registry\n"
        f"began = time.perf_counter(); importlib.import_module({module!r})\n"
        "print(time.perf_counter() - began)\n"
        "print(*({'torch', 'timm', 'open_clip', 'transformers'} & sys.modules.keys()))"
    )
    path = {"PYTHONPATH": ":".join(part for part in sys.path if part)}
    tries: list[tuple[str, float]] = []
    while not tries or (len(tries) < 2 and tries[0][1] > MAX_LOAD_SECONDS):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=path
        )
        assert done.returncode == 0, done.stderr
        *_, seconds, heavy = done.stdout.split("\n")[:-1]
        tries.append((heavy.strip(), float(seconds)))
    return min(tries, key=lambda one: one[1])
