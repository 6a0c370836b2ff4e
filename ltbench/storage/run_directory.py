"""Run directories: written atomically, read back, never unpickled.

```
<out>/<dataset>/<backbone>/<method>/<hash12>/
    spec.json                        every choice
    environment.json                 versions, device, precision, command
    history.jsonl                    a line an epoch
    checkpoint/<stage>.safetensors   while running
    learned.safetensors              learned weights
    frozen.safetensors               other tensors of the model that the pretrained backbone lacks
    predictions-<inference>.parquet  label, top logits and log-sum-exp of each test image
    failure.json                     why it failed, if it did
    result.json                      written last: its presence means done
```
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ltbench.config.runspec import Choice, Precision, RunSpec, hash_of
from ltbench.errors import BusyError, DataError, RunError
from ltbench.io.files import replace_file
from ltbench.io.locks import hold_lock
from ltbench.storage.migrations import STEPS

SCHEMA = 1 + len(STEPS)
_KEYS = {
    "spec.json": ("hash", "run"),
    "result.json": (
        *("hash", "run", "metrics", "classes", "learned", "training", "selection", "evaluation"),
        "warnings",
    ),
    "failure.json": ("error", "hint"),
    "environment.json": ("precision",),
}

_CHANGED = "it was written by another version of ltbench, or changed by hand"

Overwrite = Literal["never", "failed", "always"]
"""Which earlier runs of the same spec are done again."""


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
        RunError: It cannot be written: no space, no permission.
    """
    try:
        replace_file(path, content)
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="make room or get permission there, or write elsewhere",
        ) from error


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes JSON atomically; NaN and infinity are refused."""
    write_atomically(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def file_clock(out: Path) -> float:
    """Returns the time of now as new files in a folder get it: another machine may stamp them.

    Raises:
        RunError: Nothing can be written there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out) as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError as error:
        raise RunError(
            f"{out} cannot be written: {error.strerror or error}",
            hint="choose a folder that you may write to with --out",
        ) from error


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run."""

    path: Path

    @classmethod
    def of(cls, out: Path, spec: RunSpec) -> RunDirectory:
        """Returns where a run's files are, whether it has been run or not."""
        return cls(out / spec.dataset.name / spec.backbone.name / spec.method.name / spec.hash)

    def out(self, spec: RunSpec) -> Path | None:
        """Returns the folder of run directories that `of` put this one in; None for a moved one."""
        path = self.path.resolve()
        above = path.parents[3] if len(path.parents) > 3 else path
        return above if RunDirectory.of(above, spec).path == path else None

    def checkpoint(self, stage: str) -> Path:
        """State of an unfinished training."""
        return self.path / "checkpoint" / f"{stage}.safetensors"

    @property
    def learned(self) -> Path:
        """Learned weights."""
        return self.path / "learned.safetensors"

    @property
    def frozen(self) -> Path:
        """Tensors of the model that are neither learned nor the pretrained backbone's."""
        return self.path / "frozen.safetensors"

    def predictions(self, inference: Choice, own: Choice) -> Path:
        """Returns where predictions are; options that differ from the run's own are in the name."""
        parts = [inference.name]
        if inference.name == own.name:
            changed = {k: v for k, v in inference.options.items() if v != own.options.get(k)}
            parts += [f"{key}={value}" for key, value in sorted(changed.items())]
        elif inference.options:
            parts += [f"{key}={value}" for key, value in sorted(inference.options.items())]
        return self.path / f"predictions-{'-'.join(parts)}.parquet"

    def spec(self) -> RunSpec:
        """Returns what was run.

        Raises:
            DataError: There is no readable spec.
        """
        stored = self._read("spec.json")
        if stored is None:
            raise DataError(
                f"{self.path} is not a run directory: it has no spec.json",
                hint="give runs/<dataset>/<backbone>/<method>/<hash>",
            )
        try:
            return RunSpec.from_dict(stored["run"])
        except ValueError as error:
            path = self.path / "spec.json"
            raise DataError(f"{path} does not describe a run: {error}", hint=_CHANGED) from error

    def result(self) -> dict[str, Any] | None:
        """Returns the result of a finished run.

        An `earlier_hash` is that of the files of a run whose description an older version wrote.
        """
        return self._read("result.json")

    def hashes(self) -> list[str]:
        """Returns the hash of the run, and the one that its files were written with, if another.

        Raises:
            DataError: There is no readable spec.
        """
        stored = self._read("spec.json") or {}
        return [stored[key] for key in ("hash", "earlier_hash") if key in stored]

    def failure(self) -> dict[str, Any] | None:
        """Returns why the run failed, if it did."""
        return self._read("failure.json")

    def resumed_precision(self) -> Precision | None:
        """Returns the precision that the run was begun with: what "auto" was found to be then.

        None where nothing was made with it yet: neither checkpoint nor learned weights.
        """
        if not (self.learned.exists() or self.checkpoint("training").exists()):
            return None
        environment = self._read("environment.json") or {}
        precision: Precision | None = environment.get("precision")
        return precision

    def history(self) -> list[dict[str, Any]]:
        """Returns a row for each epoch so far.

        Raises:
            DataError: They cannot be read.
        """
        path = self.path / "history.jsonl"
        try:
            rows = [json.loads(line) for line in path.read_bytes().splitlines()]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{path} cannot be read: {error}", hint="delete the file") from error
        if not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{path} was not written by ltbench", hint="delete the file")
        return rows

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes all rows."""
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        write_atomically(self.path / "history.jsonl", lines.encode())

    def write(self, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """Writes one of the JSON files and returns what it holds."""
        stored = {"schema": SCHEMA, **value}
        write_json(self.path / name, stored)
        return stored

    def forget_failure(self) -> None:
        """Deletes the record of an earlier failure: another try begins."""
        (self.path / "failure.json").unlink(missing_ok=True)

    def drop_checkpoint(self) -> None:
        """Deletes the state of the training once it is not needed any more."""
        shutil.rmtree(self.path / "checkpoint", ignore_errors=True)

    def clear(self) -> None:
        """Deletes everything, and folders above that are left empty."""
        if not self.path.exists():
            return
        # Out of sight in one step: a half-deleted run must not look like a run.
        doomed = self.path.with_name(f".{self.path.name}.deleted.{os.getpid()}")
        self.path.rename(doomed)
        shutil.rmtree(doomed)

    @contextmanager
    def lock(self, out: Path) -> Iterator[None]:
        """Holds the run for this process.

        Raises:
            BusyError: Another process is at it.
        """
        with self._held(out, "lock"):
            yield

    @contextmanager
    def claim(self, out: Path) -> Iterator[None]:
        """Keeps the run from other grids until it has been run, whatever process runs it.

        Raises:
            BusyError: Another grid has it.
        """
        with self._held(out, "claim"):
            yield

    def is_busy(self, out: Path) -> bool:
        """Returns whether a process is running it."""
        if not (out / ".locks" / f"{self.path.name}.lock").exists():
            return False
        try:
            with self.lock(out):
                return False
        except BusyError:
            return True

    def _held(self, out: Path, what: str) -> AbstractContextManager[None]:
        lock = out / ".locks" / f"{self.path.name}.{what}"
        return hold_lock(lock, f"running {self.path}", RunError, "--out")

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.path / name
        again = "run it again with --overwrite always"
        try:
            stored = json.loads(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}", hint=again) from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} is not JSON: {error}", hint=again) from error
        schema = stored.get("schema") if isinstance(stored, dict) else None
        if not isinstance(schema, int) or schema < 1:
            raise DataError(f"{path} was not written by ltbench", hint=again)
        if schema > SCHEMA:
            raise DataError(
                f"{path} has schema {schema}; this ltbench knows {SCHEMA}",
                hint="use the ltbench that wrote it, or a later one",
            )
        written = stored.get("hash")
        if "run" in stored and "hash" in stored:
            _check_hash(path, stored)
        try:
            for step in STEPS[schema - 1 :]:
                stored = step(stored)
        except (KeyError, TypeError) as error:
            unlike = f"{path} lacks what schema {schema} has: {error}"
            raise DataError(unlike, hint=again) from error
        missing = [key for key in _KEYS[name] if key not in stored]
        if missing:
            raise DataError(f"{path} has no {' and no '.join(missing)}", hint=again)
        earlier = {} if stored.get("hash") == written else {"earlier_hash": written}
        return {**stored, **earlier, "schema": SCHEMA}


def _check_hash(path: Path, stored: Mapping[str, Any]) -> None:
    """Checks that a file is about the run that it was written about, as it was described then.

    Raises:
        DataError: It is not.
    """
    try:
        described = hash_of(stored["run"])
    except (AttributeError, RecursionError) as error:
        raise DataError(f"{path} does not describe a run: {error}", hint=_CHANGED) from error
    if described != stored["hash"]:
        raise DataError(f"{path} describes another run than its hash", hint=_CHANGED)


def stored_result(directory: RunDirectory, overwrite: Overwrite) -> dict[str, Any] | None:
    """Returns the result of a run that is done, unless it is to be done again.

    Raises:
        RunError: It failed before, and failed runs are not to be tried again.
    """
    if overwrite == "always":
        return None
    result = directory.result()
    if result is None and overwrite == "never" and (failure := directory.failure()) is not None:
        then = f"{failure['hint']}; then " if failure["hint"] else ""
        raise RunError(
            f"this run failed before: {failure['error']} ({directory.path})",
            hint=f"{then}try again with --overwrite failed",
        )
    return result
