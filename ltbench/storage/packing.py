"""Packing of finished runs into one zip archive, without their weights."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ltbench import __version__
from ltbench.errors import ConfigError, DataError, RunError
from ltbench.io.files import create_file, partial_path
from ltbench.io.interrupts import check, deferred
from ltbench.io.reading import expect_regular
from ltbench.storage import predictions
from ltbench.storage.files import make_folder
from ltbench.storage.pack_format import Manifest, PackedRun, copied, is_packed
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_check import check_run
from ltbench.storage.run_directory import RunDirectory

_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # of every member: equal runs give equal archives
_PERMISSIONS = 0o100644 << 16


@dataclass(frozen=True)
class Packed:
    """An archive that was written.

    Args:
        path: The archive.
        runs: Number of runs.
        size: Size in bytes.
    """

    path: Path
    runs: int
    size: int


def pack(
    runs: Sequence[RunResult], archive: Path, advance: Callable[[], object] = lambda: None
) -> Packed:
    """Writes finished runs into a new zip archive, whole or not at all.

    Each run is checked first: an archive holds no run that `ltbench runs add` refuses. Equal runs
    give the same bytes.

    Args:
        runs: Results that were read from run directories.
        archive: Archive to create.
        advance: Progress callback, called after each run.

    Raises:
        ConfigError: The archive exists, or there is no run.
        DataError: A run is damaged, or a file cannot be read.
        RunError: The archive cannot be written.
        Interrupted: A signal has arrived; nothing is written.
    """
    if not runs:
        raise ConfigError("there is no finished run to pack", hint="give finished runs")
    expect_free(archive)
    make_folder(archive.parent)
    partial = partial_path(archive)
    with _explained(archive, partial), deferred():
        try:
            with create_file(partial) as file:
                _write(file, runs, advance)
                file.flush()
                os.fsync(file.fileno())
            expect_free(archive)
            partial.rename(archive)
        finally:
            partial.unlink(missing_ok=True)
        return Packed(archive, len(runs), archive.stat().st_size)


def folder_of(run: RunResult) -> str:
    """Returns the folder of a run in an archive, which is that below `--out`.

    Args:
        run: Stored run. One of an early schema keeps the hash of its directory.
    """
    spec = run.spec
    names = (spec.dataset.name, spec.backbone.name, spec.method.name, run.earlier_hash or run.hash)
    return "/".join(names)


def _write(file: BinaryIO, runs: Sequence[RunResult], advance: Callable[[], object]) -> None:
    packed: list[PackedRun] = []
    with zipfile.ZipFile(file, "w") as zipped:
        for run in sorted(runs, key=folder_of):
            check()
            check_run(RunDirectory(run.path))
            folder, sums = folder_of(run), {}
            for path in _files(run.path):
                member = _member(f"{folder}/{path.name}")
                with (
                    path.open("rb") as source,
                    zipped.open(member, "w", force_zip64=True) as target,
                ):
                    sums[path.name] = copied(source, target)
            packed.append(PackedRun(folder=folder, files=sums))
            advance()
        manifest = Manifest(made_with=f"ltbench {__version__}", runs=packed).to_dict()
        zipped.writestr(_member(Manifest.FILE), json.dumps(manifest, indent=2) + "\n")


def _files(directory: Path) -> Sequence[Path]:
    """Returns the files of a run that are packed, in the order of their names.

    Raises:
        OSError: One is no regular file, or is too large.
    """
    found = sorted(path for path in directory.iterdir() if is_packed(path.name))
    for path in found:
        expect_regular(path, predictions.LARGEST)
    return found


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _FIRST_DATE)
    member.external_attr = _PERMISSIONS
    compressed = name.endswith(".parquet")
    member.compress_type = zipfile.ZIP_STORED if compressed else zipfile.ZIP_DEFLATED
    member.create_system = 3  # Unix, on every machine
    return member


def expect_free(archive: Path) -> None:
    """Checks that an archive does not exist.

    Args:
        archive: Archive to create.

    Raises:
        ConfigError: It exists.
    """
    if os.path.lexists(archive):
        raise ConfigError(f"{archive} exists", hint="give the name of a new file")


@contextmanager
def _explained(archive: Path, partial: Path) -> Iterator[None]:
    """Converts errors of the file system.

    Raises:
        RunError: The archive cannot be written.
        DataError: A file of a run cannot be read.
    """
    try:
        yield
    except OSError as error:
        name = error.filename
        if name is not None and str(name) not in (str(archive), str(partial)):
            raise DataError(
                f"{name} cannot be packed: {error.strerror or error}",
                hint="check the file and its permissions",
            ) from error
        raise RunError(
            f"{archive} cannot be written: {error.strerror or error}",
            hint="free space, or choose another folder",
        ) from error
