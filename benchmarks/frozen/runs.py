"""Runs in this process, with the CPU seconds of their parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import ltbench.engine.run
from ltbench.config.resolve import resolve
from ltbench.engine.run import RuntimeConfig, execute
from ltbench.engine.training.trainer import Trainer
from ltbench.io.array_cache import NO_CACHE, Cache
from ltbench.io.sizes import GB
from ltbench.progress import SILENT
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry


def cached_and_not(settings: Mapping[str, Any], out: Path) -> dict[str, dict[str, float]]:
    """Returns the seconds of a run without a cache, with an empty one, and with a filled one.

    Raises:
        AssertionError: One of the runs learned other bits.
    """
    resolve(registry(), dict(settings), out)
    spent({**settings, "train.epochs": 1, "limit": 8}, out / "warm", NO_CACHE)  # imports libraries
    shared = Cache(out / "cache", 4 * GB)
    found, learned = {}, set()
    for name, array_cache in (("none", NO_CACHE), ("empty", shared), ("filled", shared)):
        found[name] = spent(settings, out / name, array_cache)
        (file,) = (out / name).rglob("learned.safetensors")
        learned.add(file.read_bytes())
    assert len(learned) == 1
    return found


def spent(
    settings: Mapping[str, Any], out: Path, array_cache: Cache | None = None
) -> dict[str, float]:
    """Executes a run and returns the CPU seconds of all of it and of its parts.

    Args:
        settings: Settings of the run.
        out: Folder of the runs.
        array_cache: Cache; None: that of the folder.
    """
    seconds = {"build": 0.0, "train": 0.0, "refine": 0.0, "evaluate": 0.0}
    engine = ltbench.engine.run
    start = time.process_time()
    with (
        _timed(engine, "build_run", seconds, "build"),
        _timed(Trainer, "fit", seconds, "train"),
        _timed(engine, "refine", seconds, "refine"),
        _timed(engine, "predict", seconds, "evaluate"),
    ):
        resolved = resolve(registry(), dict(settings), out)
        config = RuntimeConfig(out, "cpu", 0, array_cache or Cache(out / ".cache", 4 * GB))
        execute(resolved, registry(), config, "never", SILENT)
    return {"all": time.process_time() - start, **seconds}


@cache
def registry() -> Registry:
    """Returns the registry of the installed plugins."""
    return load_plugins()


@contextmanager
def _timed(owner: Any, name: str, seconds: dict[str, float], part: str) -> Iterator[None]:
    """Returns a context in which calls of a function add their CPU seconds to a part."""
    function: Callable[..., Any] = getattr(owner, name)

    def timed(*args: Any, **kwargs: Any) -> Any:
        start = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            seconds[part] += time.process_time() - start

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, function)
