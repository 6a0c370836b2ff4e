"""Layout of a folder of images: train/CLASS/ and test/CLASS/, or CLASS/ alone."""

from __future__ import annotations

import os
from pathlib import Path

from ltbench.data.images import IMAGE_EXTENSIONS
from ltbench.errors import DataError, MissingPathError
from ltbench.io.paths import is_folder, no_folder

SPELLINGS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
"""Names of the folder of each split."""
UNDIVIDED = "all"
"""Name of the part with all images where a folder has no splits."""
LAYOUT = "put images into CLASS/, or into train/CLASS/ and test/CLASS/ (and optionally val/CLASS/)"


def split_folders(root: Path, given: str) -> dict[str, Path]:
    """Returns the folder of each split, or the folder itself as `UNDIVIDED`.

    Args:
        root: Folder of images.
        given: Words before a path in hints: how the user gives the folder.

    Raises:
        MissingPathError: It is no folder.
        DataError: It is one level too low or too high, or has no class folders.
    """
    if not is_folder(root):
        what = "is a file, not a folder" if root.is_file() else no_folder(root)
        raise MissingPathError(f"{root} {what}", hint=f"{given}FOLDER, a folder of images")
    below = _folders(root)
    folders = {split: _split_folder(root, split) for split in SPELLINGS}
    known = {split: folder for split, folder in folders.items() if folder is not None}
    train = known.get("train")
    if train is not None and (len(known) > 1 or _folders(train)):
        return known
    parent = Path(os.path.abspath(root)).parent  # noqa: PTH100  # keeps the user's links
    if _is_split(Path(os.path.abspath(root)).name) and (parent / "train").is_dir():  # noqa: PTH100
        raise DataError(
            f"{root} is one level too low: train/ is beside it, not in it",
            hint=f"{given}{parent}",
        )
    if known and all(_is_split(path.name) for path in below):
        raise DataError(f"{root} has no train/", hint=LAYOUT)
    higher = next((path for path in below if is_folder(path / "train")), None)
    if higher is not None and _folders(higher / "train"):
        raise DataError(
            f"{root} is one level too high: train/ is in {higher}", hint=f"{given}{higher}"
        )
    _expect_classes(root, below, given)
    return {UNDIVIDED: root}


def _expect_classes(root: Path, below: list[Path], given: str) -> None:
    """Checks that a folder without splits has two class folders or more."""
    if len(below) > 1:
        return
    if not below:
        loose = any(name.lower().endswith(IMAGE_EXTENSIONS) for name in _names(root))
        what = ": its images are in no class" if loose else ""
        above = Path(os.path.abspath(root)).parent  # noqa: PTH100
        hint = f"{given}{above}, if this is the folder of one class; or {LAYOUT}"
        raise DataError(f"{root} has no class folders{what}", hint=hint if loose else LAYOUT)
    inner = _folders(below[0])
    raise DataError(
        f"{root} has one class folder, {below[0].name}: expected two or more",
        hint=f"{given}{below[0]}" if len(inner) > 1 else LAYOUT,
    )


def _is_split(name: str) -> bool:
    return any(name in names for names in SPELLINGS.values())


def _split_folder(root: Path, split: str) -> Path | None:
    found = [root / name for name in SPELLINGS[split] if is_folder(root / name)]
    if len(found) > 1:
        raise DataError(
            f"{root} has both {found[0].name}/ and {found[1].name}/", hint="merge the two folders"
        )
    return found[0] if found else None


def _folders(folder: Path) -> list[Path]:
    """Returns the visible folders in a folder, sorted."""
    return [
        folder / name
        for name in _names(folder)
        if not name.startswith(".") and is_folder(folder / name)
    ]


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  # strings are faster
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror}", hint="allow this user to read it"
        ) from error
