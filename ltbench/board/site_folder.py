"""Writing of a site into a folder in which it replaces its own earlier files and no others.

`site.json` lists the files of the site with their SHA-256. A build stages its files in the folder,
moves each to its place, and removes those of the earlier build that it does not have. A file that
is not listed, or that was changed since, belongs to someone else: it is never removed, and a build
that would replace it is refused before anything is written.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from ltbench.errors import ConfigError, DataError, RunError
from ltbench.io.files import partial_path, remove_partials
from ltbench.io.interrupts import check, cleaned_up, deferred
from ltbench.io.locks import hold_lock
from ltbench.io.reading import read_regular
from ltbench.storage.files import make_folder, write_json, writing
from ltbench.storage.parsing import read_stored
from ltbench.storage.stored_file import StoredFile

_LOCK = ".site.lock"
_LARGEST_FILE = 2**30
_GRACE_SECONDS = 60.0  # for moving thousands of files
_NAME = "[A-Za-z0-9_][A-Za-z0-9._-]{0,199}"

SiteFile = Annotated[str, Field(pattern=f"^{_NAME}(/{_NAME}){{0,3}}$")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SiteManifest(StoredFile):
    """Files of a site, from the program that wrote them."""

    FILE = "site.json"
    LARGEST: ClassVar[int] = 2**26

    made_with: str = Field(description="program that wrote the site, with its version")
    files: dict[SiteFile, Digest] = Field(description="SHA-256 of each file, by path")


def write_site(files: Mapping[str, bytes], out: Path, made_with: str) -> int:
    """Writes a site; the files of an earlier build that it does not have are removed.

    Args:
        files: Content of each file by its path below the folder.
        out: Folder of the site, created where it is missing.
        made_with: Name and version of the program.

    Returns:
        Number of files of the earlier build that were removed.

    Raises:
        ConfigError: A file of another origin would be replaced.
        BusyError: Another process writes the same site.
        RunError: A file cannot be written.
    """
    expect_own(out, files)  # before the lock file is created there
    staged = partial_path(out / SiteManifest.FILE)
    with (
        hold_lock(out / _LOCK, f"writing {out}", RunError, "--out"),
        cleaned_up(lambda: shutil.rmtree(staged, ignore_errors=True)),
    ):
        earlier = expect_own(out, files)
        with writing(staged):
            remove_partials(out, of=SiteManifest.FILE)  # left by a process that was killed
        for name, content in files.items():
            check()
            make_folder((staged / name).parent)
            with writing(out / name):
                (staged / name).write_bytes(content)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        with deferred(_GRACE_SECONDS):
            # Listed before they are moved: the next build owns them, also if this one is killed.
            _write_manifest(out, made_with, {**earlier, **digests})
            for name in sorted(files, key=lambda one: one == "index.html"):  # the first page last
                make_folder((out / name).parent)
                with writing(out / name):
                    (staged / name).replace(out / name)
            removed = _remove_stale(out, {k: v for k, v in earlier.items() if k not in files})
            _write_manifest(out, made_with, digests)
    return removed


def expect_own(out: Path, files: Mapping[str, bytes] | None = None) -> dict[str, str]:
    """Checks that a site can be written into a folder without replacing what is not its own.

    Args:
        out: Folder of the site, which may be missing.
        files: Files to write, by path; None before they are known.

    Returns:
        SHA-256 of each file that an earlier build has written, by path.

    Raises:
        ConfigError: The folder has other files and no earlier build, or a file of another origin
            would be replaced.
    """
    hint = "choose a new folder with --out, or move these files away"
    try:
        manifest = read_stored(out, SiteManifest)
    except DataError as error:
        raise ConfigError(error.message, hint=hint) from error
    own = {} if manifest is None else dict(manifest.files)
    planned = {SiteManifest.FILE, "index.html", *(files or {})}
    for name in sorted(planned):
        path = out / name
        for above in [path, *path.parents][: len(Path(name).parts)]:
            if above.is_symlink():
                raise ConfigError(f"{above} is a link: a board replaces no links", hint=hint)
        if path.exists() and name not in own and not (manifest and name == SiteManifest.FILE):
            raise ConfigError(f"{path} exists and is not of a board's earlier build", hint=hint)
        if path.is_dir():
            raise ConfigError(f"{path} exists but is not a file", hint=hint)
    return own


def _remove_stale(out: Path, stale: Mapping[str, str]) -> int:
    """Removes files of an earlier build that are as it wrote them, and folders that are empty then.

    Args:
        out: Folder of the site.
        stale: SHA-256 of each file, by path.
    """
    removed = 0
    for name, digest in stale.items():
        path = out / name
        linked = any(each.is_symlink() for each in [path, *path.parents][: len(Path(name).parts)])
        if linked or not path.is_file():
            continue
        with writing(path):
            if hashlib.sha256(read_regular(path, _LARGEST_FILE)).hexdigest() == digest:
                path.unlink()
                removed += 1
    folders = {parent for name in stale for parent in Path(name).parents if parent != Path()}
    for folder in sorted(folders, reverse=True):
        place = out / folder
        if place.is_dir() and not place.is_symlink() and not any(place.iterdir()):
            with writing(place):
                place.rmdir()
    return removed


def _write_manifest(out: Path, made_with: str, digests: Mapping[str, str]) -> None:
    manifest = SiteManifest(made_with=made_with, files=dict(sorted(digests.items())))
    write_json(out / SiteManifest.FILE, manifest.to_dict())
