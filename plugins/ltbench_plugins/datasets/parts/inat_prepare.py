"""Preparation of iNaturalist's lists and names, from a download or fetched."""

from __future__ import annotations

from pathlib import Path

from ltbench.data import Preparation
from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.inat_annotations import Annotations
from ltbench_plugins.datasets.parts.inat_taxonomy import CATEGORIES, Taxonomy
from ltbench_plugins.datasets.parts.layout import expect_level
from ltbench_plugins.datasets.parts.published import ListedImages, ListsConfig

IMAGES = "train_val2018"
_ANNOTATIONS = {"train": "train2018.json", "test": "val2018.json"}


def expect_download(source: Path) -> None:
    """Checks that a folder holds the folder of the images.

    Raises:
        DataError: It does not: it is that folder, or one inside it or above it.
    """
    whole = source.resolve()
    images = next((path for path in (whole, *whole.parents) if path.name == IMAGES), None)
    if images is not None and not (whole / IMAGES).is_dir():
        raise DataError(
            f"{source} is the wrong level: it is {IMAGES} or a folder in it",
            hint=f"use --source {images.parent}",
        )
    expect_level(source, (IMAGES,))


def explain(folder: Path, path: str) -> DataError | None:
    """Returns the error for a missing image below a folder, if the cause is known."""
    images, category = folder / IMAGES, Path(path).parent.name
    if (images / category).is_dir() or next(images.glob("*.jpg"), None) is not None:
        return DataError(
            f"{images} lacks a level: it directly holds categories or images",
            hint=f"unpack train_val2018.tar.gz without changes, so that {path} exists",
        )
    return None


def put_texts(listed: ListedImages, config: ListsConfig, preparation: Preparation) -> None:
    """Puts the split lists and `categories.json` in place.

    Existing correct files are kept. Otherwise they come from `--lists`, else from the official
    annotations of the download, else from their publisher.

    Raises:
        DataError: A file cannot be fetched or made, or is not the expected one.
    """
    official = _official(listed, config, preparation)
    if official and not _has_lists(listed, config, preparation.folder):
        _write_lists(listed, config, preparation, official)
    else:
        listed.fetch_lists(config, preparation)
    names = _downloaded_names(config, preparation, official)
    if names is None:
        url = listed.url
        preparation.fetch(CATEGORIES, url, lambda content: _names_fault(config, content))
    else:
        preparation.write(CATEGORIES, names)


def _official(
    listed: ListedImages, config: ListsConfig, preparation: Preparation
) -> dict[str, Annotations]:
    """Returns the annotations of each split if they are needed and the download has them."""
    source, folder = preparation.source, preparation.folder
    if source is None or preparation.lists is not None:
        return {}
    if _has_lists(listed, config, folder) and _has_names(config, folder):
        return {}
    files = {split: source / name for split, name in _ANNOTATIONS.items()}
    if not all(file.is_file() for file in files.values()):
        return {}
    return {split: Annotations.read(file) for split, file in files.items()}


def _has_lists(listed: ListedImages, config: ListsConfig, folder: Path) -> bool:
    own = config.lists == "own"
    files = {folder / one.file: one for one in listed.lists.values()}
    return all(
        file.is_file() and (own or not one.fault(file.read_bytes())) for file, one in files.items()
    )


def _write_lists(
    listed: ListedImages,
    config: ListsConfig,
    preparation: Preparation,
    official: dict[str, Annotations],
) -> None:
    for split, annotated in official.items():
        published, content = listed.lists[split], annotated.split_list()
        rows = content.count(b"\n")
        if config.lists == "published" and rows != published.rows:
            raise DataError(
                f"{annotated.path}: expected {published.rows:,} images, got {rows:,}",
                hint="download it again, or use it as it is with --set dataset.lists=own",
            )
        preparation.write(published.file, content)
        if published.fault(content):
            preparation.note(
                f"{published.file} is not the published list, byte for byte: use it with --set "
                "dataset.lists=own, here and for runs"
            )


def _has_names(config: ListsConfig, folder: Path) -> bool:
    path = folder / CATEGORIES
    return path.is_file() and not _names_fault(config, path.read_bytes())


def _names_fault(config: ListsConfig, content: bytes) -> str:
    """Returns the fault of a `categories.json`; empty if it is correct."""
    try:
        Taxonomy.parse(content, published=config.lists == "published")
    except ValueError as error:
        return str(error)
    return ""


def _downloaded_names(
    config: ListsConfig, preparation: Preparation, official: dict[str, Annotations]
) -> bytes | None:
    """Returns the content of the download's `categories.json` if it is needed and exists."""
    source = preparation.source
    if source is None or preparation.lists is not None:
        return None
    if _has_names(config, preparation.folder):
        return None
    path = source / CATEGORIES
    if path.is_file():
        content = path.read_bytes()
    elif official:
        path, taxonomy = official["train"].path, official["train"].taxonomy()
        if taxonomy.obfuscated:
            preparation.note(
                f"{path} has the obfuscated names of the competition; {CATEGORIES} has the real "
                "names (also published at github.com/visipedia/inat_comp, 2018)"
            )
            return None
        content = taxonomy.to_json()
    else:
        return None
    fault = _names_fault(config, content)
    if fault:
        raise DataError(f"{path}: {fault}", hint="download it again")
    return content
