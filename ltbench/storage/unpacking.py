"""Addition of the runs in a zip archive to a store: each is checked, and added whole or not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ltbench.data.preparation.archive import unpack
from ltbench.errors import BusyError, DataError, RunError
from ltbench.io.files import remove
from ltbench.io.interrupts import check, cleaned_up, deferred
from ltbench.io.locks import hold_lock
from ltbench.io.reading import expect_regular
from ltbench.storage import predictions
from ltbench.storage.files import make_folder
from ltbench.storage.pack_format import Manifest, PackedRun, copied, is_packed
from ltbench.storage.packing import folder_of
from ltbench.storage.parsing import read_stored
from ltbench.storage.run_check import check_run
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.run_folder import changing

MAX_FILES = 1_000_000
_MAX_UNPACKED_BYTES = 2**40
_MIN_UNPACKED_BYTES = 2**28  # allowed for any archive
_MAX_RATIO = 64  # of the size of all files to that of the archive
_MIN_FREE_DISK_BYTES = 2**29
_HINT = "fetch the archive again from where it was published"


@dataclass(frozen=True)
class AddedRun:
    """Outcome for one run of an archive.

    Args:
        folder: Folder of the run in the archive.
        path: Run directory in the store; None where the run was refused.
        fault: Reason why the run was refused; empty where it was not.
        is_new: Whether the run was added, and not there before.
    """

    folder: str
    path: Path | None
    fault: str
    is_new: bool


def add_pack(
    archive: Path, out: Path, begin: Callable[[int], object] = lambda count: None
) -> Generator[AddedRun, None, None]:
    """Adds the runs of an archive to a store, and yields the outcome for each.

    The archive is untrusted: it is unpacked with limits into a new folder of the store. A run is
    checked there by the SHA-256 of its files, by its hash and by `check_run`, and moved to its
    place in one step. A run that is in the store already is left as it is.

    Args:
        archive: Archive that `pack` wrote.
        out: Folder of the run directories, created where it is missing.
        begin: Callback with the number of runs, before the first one is checked.

    Raises:
        DataError: The archive cannot be unpacked, or is no pack.
        BusyError: Another process is adding runs to the same store.
        RunError: The store cannot be written.
    """
    make_folder(out)
    unpacked = out / ".adding"
    lock = out / ".locks" / "add.lock"
    with hold_lock(lock, f"adding runs to {out}", RunError, "--out"), changing(unpacked):
        remove(unpacked)  # left by a process that was killed
        with cleaned_up(lambda: shutil.rmtree(unpacked, ignore_errors=True)):
            _unpack(archive, unpacked)
            manifest = _manifest(archive, unpacked)
            begin(len(manifest.runs))
            yield from _added(manifest, unpacked, out)


def _unpack(archive: Path, into: Path) -> None:
    try:
        expect_regular(archive, _MAX_UNPACKED_BYTES)
        size = archive.stat().st_size
        free = shutil.disk_usage(into.parent).free
    except OSError as error:
        raise DataError(
            f"{archive} cannot be read: {error.strerror or error}", hint="give an existing archive"
        ) from error
    limit = min(
        max(_MIN_UNPACKED_BYTES, _MAX_RATIO * size),
        _MAX_UNPACKED_BYTES,
        max(free - _MIN_FREE_DISK_BYTES, 0),
    )
    try:
        unpack(archive, into, limit, MAX_FILES)
    except DataError as error:
        raise DataError(error.message, hint=_HINT) from error


def _manifest(archive: Path, unpacked: Path) -> Manifest:
    """Returns the manifest of an archive.

    Raises:
        DataError: It is missing or broken.
    """
    hint = "give an archive that ltbench runs pack wrote"
    try:
        manifest = read_stored(unpacked, Manifest)
    except DataError as error:
        fault = error.message.replace(f"{unpacked}/", "")
        raise DataError(f"{archive} is not a pack of runs: {fault}", hint=hint) from error
    if manifest is None:
        raise DataError(f"{archive} is not a pack of runs: no {Manifest.FILE}", hint=hint)
    return manifest


def _added(manifest: Manifest, unpacked: Path, out: Path) -> Iterator[AddedRun]:
    listed = set()
    for run in manifest.runs:
        check()
        listed.add(run.folder)
        try:
            yield _add(run, unpacked, out)
        except (DataError, BusyError) as error:
            told = error.message.replace(f"{unpacked}/", "")
            yield AddedRun(run.folder, None, told, is_new=False)
    # A run leaves its folder when it is added: what is left was refused, or was never listed.
    for path in sorted(unpacked.rglob("*")):
        if path.is_file() and path.name != Manifest.FILE:
            folder = path.relative_to(unpacked).parent.as_posix()
            if folder not in listed:
                listed.add(folder)
                yield AddedRun(folder, None, f"it is not in {Manifest.FILE}", is_new=False)


def _add(run: PackedRun, unpacked: Path, out: Path) -> AddedRun:
    """Checks a run and moves it to its place.

    Raises:
        DataError: The run is refused.
        BusyError: A process runs the same run.
        RunError: The store cannot be written.
    """
    folder = unpacked / run.folder
    with _unreadable(folder):
        if not folder.is_dir():
            raise DataError(f"{run.folder} is not a folder of the archive", hint=_HINT)
        _check_files(run, folder)
    result = check_run(RunDirectory(folder))
    if folder_of(result) != run.folder:
        raise DataError(f"{run.folder} holds the run {folder_of(result)}", hint=_HINT)
    target = RunDirectory(out / run.folder)
    for path in {target.path, RunDirectory.of(out, result.spec).path}:
        if RunDirectory(path).result() is not None:
            return AddedRun(run.folder, path, "", is_new=False)
    with target.lock(out), changing(target.path):
        if target.path.exists():
            raise DataError(
                f"{target.path} exists and is not finished", hint="finish it, or remove it"
            )
        make_folder(target.path.parent)
        with deferred():
            folder.rename(target.path)
    return AddedRun(run.folder, target.path, "", is_new=True)


@contextmanager
def _unreadable(folder: Path) -> Iterator[None]:
    """Converts errors of the file system.

    Raises:
        DataError: A file cannot be read.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{error.filename or folder} cannot be read: {error.strerror or error}", hint=_HINT
        ) from error


def _check_files(run: PackedRun, folder: Path) -> None:
    """Checks that a folder has the files that the manifest lists, and no others.

    Raises:
        DataError: A file is missing, unexpected or changed.
        OSError: A file cannot be read.
    """
    found = {path.name for path in folder.iterdir()}
    for name in sorted(found | run.files.keys()):
        if name not in run.files or not is_packed(name):
            raise DataError(f"{folder / name}: a pack has no such file", hint=_HINT)
        if name not in found:
            raise DataError(f"{folder / name} is missing", hint=_HINT)
        expect_regular(folder / name, predictions.LARGEST)
        with (folder / name).open("rb") as file:
            if copied(file) != run.files[name]:
                raise DataError(
                    f"{folder / name} is not what was packed: its SHA-256 differs", hint=_HINT
                )
