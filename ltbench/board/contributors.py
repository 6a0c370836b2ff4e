"""Contributors of a board: a folder for each, with packs of runs and a few words about them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from ltbench.config.toml import parse_toml
from ltbench.errors import ConfigError, DataError, quoted, shortened
from ltbench.io.paths import is_folder, no_folder
from ltbench.io.reading import read_regular

ENTRY_FILE = "entry.toml"
PACK_SUFFIX = ".zip"
MAX_LINE_CHARACTERS = 200
MAX_NOTE_CHARACTERS = 1_000
_MAX_FILE_BYTES = 20_000
_FOLDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_FOLDER_RULE = "at most 64 lower-case letters, digits, - and _"
_PACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.zip")
_PACK_RULE = "at most 100 letters, digits, ., - and _, and .zip"
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5}(v\d+)?)")
_DOI = re.compile(r"doi:(10\.\d{4,9}/[\w.()/:;-]{1,150})", re.ASCII)


@dataclass(frozen=True)
class Contributor:
    """Author of results.

    Args:
        name: Name of the folder.
        who: Name of the person or group.
        affiliation: University or company; may be empty.
        link: Address of a page about the author or the work, `https://...`; may be empty.
        paper: Paper that describes the results, as `arXiv:...`, `doi:...` or `https://...`; may be
            empty.
        note: Remark for readers; may be empty.
    """

    name: str
    who: str
    affiliation: str = ""
    link: str = ""
    paper: str = ""
    note: str = ""

    @property
    def paper_address(self) -> str:
        """Address of the paper; empty without one."""
        if found := _ARXIV.fullmatch(self.paper):
            return f"https://arxiv.org/abs/{found[1]}"
        if found := _DOI.fullmatch(self.paper):
            return f"https://doi.org/{found[1]}"
        return self.paper


_KEYS = tuple(one.name for one in fields(Contributor) if one.name != "name")


@dataclass(frozen=True)
class Contribution:
    """Folder of a contributor.

    Args:
        contributor: Author of the packs.
        packs: Archives, in the order of their names.
        fault: Reason why none of the packs can be used; empty where they can.
    """

    contributor: Contributor
    packs: tuple[Path, ...]
    fault: str = ""


@dataclass(frozen=True)
class Contributions:
    """Content of a folder of contributors.

    Args:
        each: Contributions, in the order of their folders' names.
        misplaced: Names of archives that are not used, with the reason: they are not in the folder
            of a contributor, are links, or their name is refused.
    """

    each: tuple[Contribution, ...]
    misplaced: tuple[tuple[str, str], ...]

    @property
    def packs(self) -> int:
        """Number of packs."""
        return sum(len(one.packs) for one in self.each) + len(self.misplaced)


def read_contributions(folder: Path) -> Contributions:
    """Finds the contributors of a folder, their packs, and reads what they say of themselves.

    Folders without packs, and files that are not archives, are passed over.

    Args:
        folder: Folder with `CONTRIBUTOR/PACK.zip` and `CONTRIBUTOR/entry.toml`.

    Raises:
        ConfigError: It is not a folder.
        DataError: It holds no pack, or cannot be listed.
    """
    if not is_folder(folder):
        raise ConfigError(
            f"{folder} {no_folder(folder)}", hint="give a folder with CONTRIBUTOR/PACK.zip"
        )
    each: list[Contribution] = []
    misplaced: list[tuple[str, str]] = []
    for path in _listed(folder):
        if path.suffix.lower() == PACK_SUFFIX:
            misplaced.append((path.name, "it is not in the folder of a contributor"))
        elif is_folder(path):
            packs, refused = _packs(path)
            misplaced += refused
            if packs:
                each.append(_read_contribution(path, packs))
    if not each and not misplaced:
        raise DataError(
            f"{folder} holds no pack", hint="put packs into it, as CONTRIBUTOR/PACK.zip"
        )
    return Contributions(tuple(each), tuple(misplaced))


def given_contributions(paths: Sequence[Path]) -> Contributions:
    """Returns the contributions of packs and of contributors' folders.

    Args:
        paths: Archives, or folders of contributors.

    Raises:
        ConfigError: A path does not exist.
        DataError: A folder holds no pack, or cannot be listed.
    """
    each: list[Contribution] = []
    misplaced: list[tuple[str, str]] = []
    for path in paths:
        if not is_folder(path):
            if not os.path.lexists(path):
                raise ConfigError(f"{path} {no_folder(path)}", hint="give packs, FILE.zip")
            each.append(_read_contribution(path.absolute().parent, [path]))
            continue
        packs, refused = _packs(path.absolute())
        misplaced += refused
        if packs:
            each.append(_read_contribution(path.absolute(), packs))
        elif not refused:
            raise DataError(f"{path} holds no pack", hint="give a folder with FILE.zip")
    return Contributions(tuple(each), tuple(misplaced))


def _read_contribution(folder: Path, packs: Sequence[Path]) -> Contribution:
    """Returns the contribution of a folder; a fault of its `entry.toml` is part of it."""
    try:
        return Contribution(read_entry(folder), tuple(packs))
    except DataError as error:
        return Contribution(Contributor(folder.name, folder.name), tuple(packs), error.message)


def read_entry(folder: Path) -> Contributor:
    """Reads the `entry.toml` of a contributor's folder; without one, the folder's name is all.

    Args:
        folder: Folder of a contributor.

    Raises:
        DataError: The file cannot be read, has an unknown key, or a value is refused.
    """
    path = folder / ENTRY_FILE
    try:
        stored = parse_toml(read_regular(path, _MAX_FILE_BYTES).decode())
    except FileNotFoundError:
        return Contributor(folder.name, folder.name)
    except OSError as error:
        raise DataError(f"{ENTRY_FILE}: {error.strerror or error}", hint=_HINT) from error
    except ValueError as error:  # also of the decoding
        raise DataError(f"{ENTRY_FILE}: {shortened(str(error))}", hint=_HINT) from error
    faults = [fault for key, value in stored.items() for fault in _faults(key, value)]
    if faults:
        raise DataError(f"{ENTRY_FILE}: {'; '.join(faults[:5])}", hint=_HINT)
    return Contributor(folder.name, **{"who": folder.name, **stored})


_HINT = f"write {ENTRY_FILE} with the keys {', '.join(_KEYS)}, each a line of text"


def _faults(key: str, value: object) -> Iterator[str]:
    """Yields what is wrong with a key of `entry.toml`."""
    if key not in _KEYS:
        yield f"{quoted(key)} is not one of {', '.join(_KEYS)}"
        return
    limit = MAX_NOTE_CHARACTERS if key == "note" else MAX_LINE_CHARACTERS
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        yield f"{key}: expected a line of printable text"
    elif len(value) > limit:
        yield f"{key}: expected at most {limit:,} characters, got {len(value):,}"
    elif key == "link" and not _is_address(value):
        yield f"link: expected an address that begins with https://, got {quoted(value)}"
    elif key == "paper" and not (
        _ARXIV.fullmatch(value) or _DOI.fullmatch(value) or _is_address(value)
    ):
        yield f"paper: expected arXiv:..., doi:... or https://..., got {quoted(value)}"


def _is_address(text: str) -> bool:
    """Returns whether a text is an address of the web that shows its host: no name, no password."""
    if (
        not text.startswith("https://")
        or not text.isascii()
        or re.search(r"[\s\"'<>\\^`{|}]", text)
    ):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and "@" not in parts.netloc and "." in (parts.hostname or "")
    except ValueError:
        return False


def _packs(folder: Path) -> tuple[list[Path], list[tuple[str, str]]]:
    """Returns the archives of a folder, and those that are not used, with the reason."""
    found = [path for path in _listed(folder) if path.suffix.lower() == PACK_SUFFIX]
    faults = {path: _folder_fault(folder) or _pack_fault(path) for path in found}
    refused = [
        (f"{path.parent.name}/{path.name}", fault) for path, fault in faults.items() if fault
    ]
    return [path for path in found if not faults[path]], refused


def _folder_fault(folder: Path) -> str:
    """Returns why the folder of a contributor cannot be used; empty where it can."""
    if folder.is_symlink():
        return "its folder is a link"
    return "" if _FOLDER.fullmatch(folder.name) else f"the folder's name is not {_FOLDER_RULE}"


def _pack_fault(path: Path) -> str:
    """Returns why an archive cannot be used; empty where it can."""
    if path.is_symlink():
        return "it is a link"
    return "" if _PACK.fullmatch(path.name) else f"its name is not {_PACK_RULE}"


def _listed(folder: Path) -> list[Path]:
    """Returns the content of a folder in order, without hidden files.

    Raises:
        DataError: It cannot be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DataError(
            f"{folder} cannot be listed: {error.strerror or error}", hint="check its permissions"
        ) from error
