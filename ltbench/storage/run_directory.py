"""Run directories: atomic writes, checked reads, no pickle.

```
<out>/<dataset>/<backbone>/<method>/<hash12>/
    spec.json                        every choice
    environment.json                 versions, device, precision, command
    history.jsonl                    one line for each epoch
    checkpoint/<stage>.safetensors   state of an unfinished training
    learned.safetensors              learned weights
    frozen.safetensors               other tensors of the model that the pretrained backbone lacks
    predictions-<inference>.parquet  label, top logits and log-sum-exp of each test image
    train-predictions-<inference>.parquet  the same of each training image, from `ltbench eval`
    diagnosis.json                   consistency of train and test features, from `ltbench diagnose`
    diagnosis-pretrained.json        the same of the backbone's features before the run changed them
    attempt.json                     process that executes the run, or was the last to do so
    failure.json                     error of a failed run
    result.json                      written last: a run that has it is done
```
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ltbench.config.runspec import Choice, Precision, RunSpec
from ltbench.errors import BusyError, DataError, RunError
from ltbench.io.locks import hold_lock
from ltbench.storage.attempt import Attempt, after_predecessor, expect_token, is_continued
from ltbench.storage.environment_schema import Environment
from ltbench.storage.files import write_json
from ltbench.storage.history import HistoryRow, read_history, write_history
from ltbench.storage.parsing import read_stored, written_schema
from ltbench.storage.predictions import predictions_name, train_predictions_name
from ltbench.storage.result_schema import Failure, RunDescription, RunResult
from ltbench.storage.run_folder import (
    CHECKPOINTS,
    changing,
    clear_folder,
    make_checkpoint_folder,
    open_folder,
)
from ltbench.storage.stored_file import StoredFile

Overwrite = Literal["never", "failed", "always"]
"""Earlier runs of the same spec that are done again: none, failed ones, or all."""


def file_clock(out: Path) -> float:
    """Returns the current time by the clock that stamps new files in a folder.

    On a network file system this is the clock of another machine.

    Args:
        out: Folder of the run directories; it is made where it is missing.

    Returns:
        Seconds since the epoch.

    Raises:
        RunError: The folder cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out) as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError as error:
        raise RunError(
            f"{out} cannot be written: {error.strerror or error}",
            hint="choose a writable folder with --out",
        ) from error


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run.

    Args:
        path: The folder.
        token: Token of the attempt that writes these files; empty before one has begun.
    """

    path: Path
    token: str = field(default="", compare=False)

    @classmethod
    def of(cls, out: Path, spec: RunSpec) -> RunDirectory:
        """Returns the directory of a run, whether it exists or not.

        Args:
            out: Folder of the run directories.
            spec: The run.
        """
        return cls(out / spec.dataset.name / spec.backbone.name / spec.method.name / spec.hash)

    def out(self, spec: RunSpec) -> Path | None:
        """Returns the folder that `of` was given; None for a run directory that was moved."""
        path = self.path.resolve()
        above = path.parents[3] if len(path.parents) > 3 else path
        return above if RunDirectory.of(above, spec).path == path else None

    def checkpoint(self, stage: str) -> Path:
        """Returns the path of the checkpoint of an unfinished training."""
        return self.path / CHECKPOINTS / f"{stage}.safetensors"

    @property
    def learned(self) -> Path:
        """Path of the learned weights."""
        return self.path / "learned.safetensors"

    @property
    def frozen(self) -> Path:
        """Tensors of the model that are neither learned nor the pretrained backbone's."""
        return self.path / "frozen.safetensors"

    def predictions(self, inference: Choice, own: Choice, *, train: bool = False) -> Path:
        """Returns the path of predictions: options other than the run's own are in the name.

        Args:
            inference: Inference of the predictions.
            own: Inference of the run.
            train: Whether they are predictions of the training images.
        """
        parts = [inference.name]
        if inference.name == own.name:
            changed = {k: v for k, v in inference.options.items() if v != own.options.get(k)}
            parts += [f"{key}={value}" for key, value in sorted(changed.items())]
        elif inference.options:
            parts += [f"{key}={value}" for key, value in sorted(inference.options.items())]
        name = "-".join(parts)
        return self.path / (train_predictions_name(name) if train else predictions_name(name))

    def describe(self) -> RunDescription:
        """Reads `spec.json`.

        Raises:
            DataError: The file is missing or broken.
        """
        described = read_stored(self.path, RunDescription)
        if described is None:
            raise DataError(
                f"{self.path} is not a run directory: it has no spec.json",
                hint="give a directory such as runs/<dataset>/<backbone>/<method>/<hash>",
            )
        return described

    def spec(self) -> RunSpec:
        """Returns the choices of the run.

        Raises:
            DataError: `spec.json` is missing or broken.
        """
        return self.describe().spec

    def hashes(self) -> list[str]:
        """Returns the hash of the run, and the one of its files where a migration changed it.

        Raises:
            DataError: `spec.json` is missing or broken.
        """
        described = self.describe()
        return [described.hash, *([described.earlier_hash] if described.earlier_hash else [])]

    def result(self) -> RunResult | None:
        """Returns the result; None where the run is not finished.

        Raises:
            DataError: `result.json` is broken.
        """
        result = read_stored(self.path, RunResult)
        return None if result is None else result.at(self.path)

    def written_schema(self) -> int:
        """Returns the schema in which `result.json` was written; 0 where it is missing.

        Raises:
            DataError: `result.json` is damaged.
        """
        return written_schema(self.path, RunResult)

    def finished(self) -> RunResult:
        """Returns the result of a finished run.

        Raises:
            DataError: The run is not finished, or `result.json` is broken.
        """
        result = self.result()
        if result is not None:
            return result
        failure = self.failure()
        if failure is None:
            self.describe()
            raise DataError(f"{self.path} is not finished", hint="start the same run again")
        raise DataError(
            f"{self.path} has failed: {failure.error}",
            hint="start the same run again with --overwrite failed",
        )

    def failure(self) -> Failure | None:
        """Returns the error that ended the run; None where it did not fail.

        Raises:
            DataError: `failure.json` is broken.
        """
        return read_stored(self.path, Failure)

    def resumed_precision(self) -> Precision | None:
        """Returns the precision of the checkpoint or the learned weights; None without either.

        Raises:
            DataError: `environment.json` is broken.
        """
        if not (self.learned.exists() or self.checkpoint("training").exists()):
            return None
        environment = read_stored(self.path, Environment)
        return None if environment is None else environment.precision

    def history(self) -> list[HistoryRow]:
        """Returns one row for each trained epoch.

        Raises:
            DataError: `history.jsonl` cannot be read.
        """
        return read_history(self.path)

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes all rows."""
        write_history(self.path, rows)

    def write(self, file: StoredFile) -> None:
        """Writes one of the JSON files."""
        write_json(self.path / file.FILE, file.to_dict())

    def begin(self, description: RunDescription) -> None:
        """Creates the directory with its `spec.json`, or continues with an existing one.

        Args:
            description: Choices of the run, whose lock the caller holds.

        Raises:
            RunError: The directory is a link, or cannot be written.
        """
        open_folder(self.path)
        self.write(description)

    def start_attempt(self, command_id: str = "") -> RunDirectory:
        """Replaces the token of earlier attempts, and returns the directory of this attempt.

        Args:
            command_id: Text that the command gave all its requests; empty for none.

        Raises:
            RunError: The directory cannot be written.
        """
        attempt = Attempt.start(command_id)
        self.write(attempt)
        return replace(self, token=attempt.token)

    def expect_own_attempt(self) -> None:
        """Checks that no other process has begun the run since this attempt did.

        Raises:
            BusyError: Another process has begun it.
        """
        if self.token:
            expect_token(self.path, self.token)

    def is_continued(self, command_id: str) -> bool:
        """Returns whether this process continues the last attempt, for the same request."""
        return is_continued(self.path, command_id)

    def expect_writable(self) -> None:
        """Checks that a file can be added, before the work whose result it is.

        Raises:
            RunError: The permission is missing.
        """
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise RunError(
                f"{self.path} cannot be written to: no permission",
                hint="change the permissions there, or evaluate a copy of the folder",
            )

    def make_checkpoint_folder(self) -> None:
        """Creates the folder of checkpoints, unless the run directory was deleted meanwhile.

        Raises:
            BusyError: Another process has begun the run.
            RunError: The run directory was deleted, or cannot be written.
        """
        make_checkpoint_folder(self.path, RunDescription.FILE)
        self.expect_own_attempt()

    def forget_failure(self) -> None:
        """Deletes the record of an earlier failure before the next attempt.

        Raises:
            RunError: It cannot be deleted.
        """
        with changing(self.path):
            (self.path / Failure.FILE).unlink(missing_ok=True)

    def drop_checkpoint(self) -> None:
        """Deletes the checkpoints of a finished training."""
        shutil.rmtree(self.path / CHECKPOINTS, ignore_errors=True)

    def clear(self) -> None:
        """Deletes the run directory.

        Raises:
            RunError: The directory is a link or a file, or cannot be deleted.
        """
        clear_folder(self.path)

    @contextmanager
    def lock(self, out: Path, command_id: str = "") -> Iterator[None]:
        """Holds the lock of the run.

        Where an earlier attempt for the same request holds it, its process is about to end: the
        lock is waited for.

        Args:
            out: Folder of the run directories.
            command_id: Text that the command gave all its requests; empty for none.

        Raises:
            BusyError: Another process holds it.
            Interrupted: A signal arrived while the lock was waited for.
        """
        with after_predecessor(lambda: self._held(out, "lock"), self.path, command_id):
            yield

    @contextmanager
    def claim(self, out: Path) -> Iterator[None]:
        """Holds the lock by which one of several grids takes the run.

        The process that runs it may be another one, which holds `lock`.

        Raises:
            BusyError: Another grid holds it.
        """
        with self._held(out, "claim"):
            yield

    def is_busy(self, out: Path) -> bool:
        """Returns whether a process holds the lock of the run."""
        if not os.path.exists(out / ".locks" / f"{self.path.name}.lock"):  # noqa: PTH110  # never raises
            return False
        try:
            with self._held(out, "lock"):
                return False
        except BusyError:
            return True

    def _held(self, out: Path, what: str) -> AbstractContextManager[None]:
        folder = out / ".locks"
        if os.path.islink(folder):  # noqa: PTH114  # never raises
            raise RunError(f"{folder} is a link: expected a directory", hint="remove the link")
        lock = folder / f"{self.path.name}.{what}"
        return hold_lock(lock, f"running {self.path}", RunError, "--out")


def stored_result(directory: RunDirectory, overwrite: Overwrite) -> RunResult | None:
    """Returns the result of a run that is not to be done again; None where it is to be run.

    Args:
        directory: Directory of the run.
        overwrite: Earlier runs that are done again.

    Raises:
        RunError: The run failed before, and failed runs are not done again.
        DataError: A stored file is broken.
    """
    if overwrite == "always":
        return None
    result = directory.result()
    if result is None and overwrite == "never" and (failure := directory.failure()) is not None:
        then = f"{failure.hint}; then " if failure.hint else ""
        raise RunError(
            f"this run failed before: {failure.error} ({directory.path})",
            hint=f"{then}try again with --overwrite failed",
        )
    return result
