"""The command `ltbench` in a process that notes when it enters its first training step.

Nothing is imported that the command would not import by itself.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_LOOP = "ltbench.engine.training.loop"


class _Loop(MetaPathFinder):
    """Finds the module of the training loop, and replaces its `train` by a timed one."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the spec of the training loop, and None for other modules."""
        if name != _LOOP:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def execute_and_watch(module: ModuleType) -> None:
            execute(module)
            module.train = _watched(module.train)  # type: ignore[attr-defined]

        spec.loader.exec_module = execute_and_watch  # type: ignore[method-assign]
        return spec


class _Stream:
    """A stream that notes when its first batch is there."""

    def __init__(self, loader: Any) -> None:
        self._stream = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __len__(self) -> int:
        return len(self._stream)

    def epoch(self, epoch: int, batch_size: int) -> Iterator[Any]:
        """Yields the stream's batches."""
        for batch in self._stream.epoch(epoch, batch_size):
            note = Path(os.environ["FIRST_STEP"])
            if not note.exists():
                note.write_text(repr(time.time() - float(os.environ["STARTED"])))
            yield batch


def _watched(train: Callable[..., None]) -> Callable[..., None]:
    def watched(model: Any, loader: Any, *rest: Any) -> None:
        train(model, _Stream(loader), *rest)

    return watched


if __name__ == "__main__":
    sys.meta_path.insert(0, _Loop())
    from ltbench.cli import main

    main()
