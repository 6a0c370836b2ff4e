"""Data sets made of published split lists and downloaded images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, option
from ltbench.data import (
    FileImages,
    Preparation,
    Split,
    git_blob_sha1,
    list_identity,
    parse_list,
    read_list,
)
from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.classes import expect_trained
from ltbench_plugins.datasets.parts.layout import wrong_level

_REPOSITORY = (
    "https://raw.githubusercontent.com/shijxcs/LIFT-plus/"
    "ea555ea65d890ace16a6295e5696a7b3ff2146fd/datasets"
)
_MARKUP = (b"<!do", b"<htm")


@dataclass(frozen=True)
class ListsConfig:
    """Options of a data set with published lists."""

    lists: Literal["published", "own"] = option(
        "published", "kind of split lists: the paper's, byte for byte, or own lists in this format"
    )


@dataclass(frozen=True)
class PublishedList:
    """A published split list.

    Args:
        file: File name.
        sha1: Git blob SHA-1 of its content.
        rows: Number of images in it.
    """

    file: str
    sha1: str
    rows: int

    def fault(self, content: bytes) -> str:
        """Returns the fault of a list's content; empty for the published content."""
        content = content.replace(b"\r\n", b"\n")
        if git_blob_sha1(content) == self.sha1:
            return ""
        rows = content.count(b"\n") + (not content.endswith(b"\n"))
        if content.lstrip()[:4].lower() in _MARKUP:
            return f"it is a web page, not the list {self.file}"
        if not content or rows < self.rows:
            return f"it is truncated: expected {self.rows:,} lines, got {rows if content else 0:,}"
        return f"it is not the published list (git blob {self.sha1[:12]}, {self.rows:,} lines)"


@dataclass(frozen=True)
class ListedImages:
    """Split lists of a data set, and the places of lists and images.

    Args:
        name: Name of the data set, and of its folder below the data root.
        num_classes: Number of classes K of the published lists.
        published: Folder of the lists in the authors' repository.
        lists: Split list of each split.
    """

    name: str
    num_classes: int
    published: str
    lists: Mapping[str, PublishedList]

    @property
    def url(self) -> str:
        """URL of the folder with the published lists."""
        return f"{_REPOSITORY}/{self.published}"

    def folder(self, ctx: DataContext) -> Path:
        """Returns the folder of lists and images."""
        return ctx.root / self.name

    def identity(self, config: ListsConfig, ctx: DataContext) -> str:
        """Returns the git blob names of the lists.

        Raises:
            DataError: A list is missing, or is not the required published one.
        """
        names = {}
        for split, listed in self.lists.items():
            path = self.folder(ctx) / listed.file
            if not path.is_file():
                raise DataError(
                    f"{self.name}: {path} does not exist",
                    hint=f"run `ltbench data prepare {self.name}`, which fetches the lists and "
                    "names the images to download; --data-root is the parent folder",
                )
            names[split] = list_identity(path)
            fault = listed.fault(path.read_bytes()) if config.lists == "published" else ""
            if fault:
                raise DataError(
                    f"{path}: {fault}",
                    hint=f"run `ltbench data prepare {self.name}`, which fetches it again, or add "
                    "--set dataset.lists=own for your own lists",
                )
        return " ".join(f"{split}:{name}" for split, name in names.items())

    def read(
        self, config: ListsConfig, ctx: DataContext
    ) -> tuple[dict[str, Split], tuple[str, ...]]:
        """Returns the splits, and the name of each class's image folder.

        Raises:
            DataError: A list is missing or malformed, or its classes do not match its folders.
        """
        self.identity(config, ctx)
        published = config.lists == "published"
        folder, splits = self.folder(ctx), {}
        folders: dict[int, str] = {}
        for split, listed in self.lists.items():
            path = folder / listed.file
            names, labels = read_list(path, self.num_classes if published else None)
            splits[split] = Split(FileImages(folder, names, self._hint()), labels)
            folders = _merge(path, folders, _folders(path, names, labels))
        smallest = int(splits["train"].labels.min())
        if not published and smallest == 1:
            raise DataError(
                f"{self.name}: labels of the training list: expected to start at 0, got 1",
                hint="subtract 1 from each label in all lists: classes are numbered from 0",
            )
        classes = range(self.num_classes if published else max(folders) + 1)
        class_names = tuple(folders.get(label, str(label)) for label in classes)
        expect_trained(self.name, class_names, splits["train"].labels)
        return splits, class_names

    def fetch_lists(self, config: ListsConfig, preparation: Preparation) -> None:
        """Fetches the missing lists.

        Raises:
            DataError: A list cannot be fetched, or is not the required published one.
        """
        for listed in self.lists.values():
            check = listed.fault if config.lists == "published" else _list_fault
            preparation.fetch(listed.file, self.url, check)

    def paths(self, split: str, folder: Path) -> list[str]:
        """Returns the paths in the list of a split."""
        names, _ = read_list(folder / self.lists[split].file)
        paths: list[str] = names.to_pylist()
        return paths

    def check(
        self,
        config: ListsConfig,
        ctx: DataContext,
        explain: Callable[[Path, str], DataError | None],
        download: str,
    ) -> Path:
        """Checks that the first image of each list exists, and returns one of their paths.

        With a limit, only the folder of that image is checked.

        Args:
            config: Options of the data set.
            ctx: Context with the data root.
            explain: Function `(folder, path)` that returns a known cause of a missing image.
            download: Hint on how to get the download.

        Raises:
            DataError: An image is missing.
        """
        self.identity(config, ctx)
        folder = self.folder(ctx)
        for listed in self.lists.values():
            path = _first_path(folder / listed.file)
            # With a limit, the first image need not be one of the few that are read.
            wanted = path if ctx.limit is None else path.partition("/")[0]
            if not (folder / wanted).exists():
                raise self._missing(folder, path, explain, download)
        return folder / path

    def _missing(
        self,
        folder: Path,
        path: str,
        explain: Callable[[Path, str], DataError | None],
        download: str,
    ) -> DataError:
        top = folder / path.partition("/")[0]
        if not top.exists():
            return DataError(f"{self.name}: {top} does not exist", hint=download)
        explained = explain(folder, path)
        if explained is not None:
            return explained
        found = wrong_level(folder, path)
        if found is not None:
            return DataError(
                f"{self.name}: {folder / path} does not exist, but {found} does: wrong level",
                hint=f"link or move the folders so that {path} is directly below {folder}",
            )
        return DataError(f"{self.name}: {folder / path} does not exist", hint=self._hint())

    def _hint(self) -> str:
        return f"run `ltbench data verify {self.name}`, which lists all missing images"


def _first_path(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as lines:
        return lines.readline().rstrip("\n").rpartition(" ")[0]


def _list_fault(content: bytes) -> str:
    """Returns the fault of a user's own list; empty if it is well-formed."""
    if content.lstrip()[:4].lower() in _MARKUP:
        return "it is a web page, not a list"
    try:
        parse_list(content.replace(b"\r\n", b"\n"), "line")
    except (DataError, ValueError) as error:
        return str(error)
    return ""


def _folders(path: Path, names: Any, labels: NDArray[np.int64]) -> dict[int, str]:
    """Returns the folder of each class, from the paths without their file names.

    Raises:
        DataError: A class has several folders, or a folder several classes.
    """
    import pyarrow.compute as pc

    parents = pc.list_element(pc.split_pattern(names, "/", max_splits=1, reverse=True), 0)
    encoded = parents.dictionary_encode()
    known = [parent.rpartition("/")[2] for parent in encoded.dictionary.to_pylist()]
    count = len(known)
    pairs = np.unique(labels * count + encoded.indices.to_numpy())
    classes, folders = (part.tolist() for part in divmod(pairs, count))
    for kind, each in (("class", classes), ("folder", folders)):
        if len(set(each)) < len(each):
            twice = next(one for one, next_one in pairwise(sorted(each)) if one == next_one)
            name = known[twice] if kind == "folder" else twice
            other = "folders" if kind == "class" else "classes"
            raise DataError(
                f"{path}: {kind} {name} has images of several {other}",
                hint="fetch the list again: each class must have one folder",
            )
    return {label: known[folder] for label, folder in zip(classes, folders, strict=True)}


def _merge(path: Path, known: dict[int, str], more: dict[int, str]) -> dict[int, str]:
    for label, folder in more.items():
        if known.get(label, folder) != folder:
            raise DataError(
                f"{path}: class {label} is {folder} here and {known[label]} in another list",
                hint="fetch all lists again from the same place",
            )
    return known | more
