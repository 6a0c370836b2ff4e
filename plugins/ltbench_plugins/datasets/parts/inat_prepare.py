"""Puts lists and names of iNaturalist in place: from a download, or fetched."""

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
    """Sees to it that a folder holds the folder of the images.

    Raises:
        DataError: It does not: it is that folder, or one in it, or above.
    """
    whole = source.resolve()
    images = next((path for path in (whole, *whole.parents) if path.name == IMAGES), None)
    if images is not None and not (whole / IMAGES).is_dir():
        raise DataError(
            f"{source} is the wrong level: it is {IMAGES} or a folder in it",
            hint=f"give --source {images.parent}",
        )
    expect_level(source, (IMAGES,))


def explain(folder: Path, path: str) -> DataError | None:
    """Says what is wrong with images that are not at such a path below a folder, if it is clear."""
    images, category = folder / IMAGES, Path(path).parent.name
    if (images / category).is_dir() or next(images.glob("*.jpg"), None) is not None:
        return DataError(
            f"{images} lacks a level: it has categories or images right below it",
            hint=f"the images must be at {path}: unpack train_val2018.tar.gz as it is",
        )
    return None


def put_texts(listed: ListedImages, config: ListsConfig, preparation: Preparation) -> None:
    """Puts the split lists and `categories.json` in place.

    What is there and right is kept. Otherwise they come from `--lists`, or else from the download
    where it has the official annotations, or else from where they are published.

    Raises:
        DataError: They cannot be fetched or made, or are not what they should be.
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
    """Returns the annotations of each split, if the download has them and they are needed."""
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
                f"{annotated.path} has {rows:,} images, not {published.rows:,}",
                hint="download it again, or take it as it is with --set dataset.lists=own",
            )
        preparation.write(published.file, content)
        if published.fault(content):
            preparation.say(
                f"{published.file} is not the published list, byte for byte: to use it give --set "
                "dataset.lists=own, here and to runs"
            )


def _has_names(config: ListsConfig, folder: Path) -> bool:
    path = folder / CATEGORIES
    return path.is_file() and not _names_fault(config, path.read_bytes())


def _names_fault(config: ListsConfig, content: bytes) -> str:
    """Returns what is wrong with what should be `categories.json`; nothing if it is right."""
    try:
        Taxonomy.parse(content, published=config.lists == "published")
    except ValueError as error:
        return str(error)
    return ""


def _downloaded_names(
    config: ListsConfig, preparation: Preparation, official: dict[str, Annotations]
) -> bytes | None:
    """Returns the `categories.json` of the download, if it has one and it is needed."""
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
            preparation.say(
                f"{path} has the made-up names of the competition: {CATEGORIES} has the real ones "
                "(github.com/visipedia/inat_comp, 2018, publishes it too)"
            )
            return None
        content = taxonomy.to_json()
    else:
        return None
    fault = _names_fault(config, content)
    if fault:
        raise DataError(f"{path}: {fault}", hint="download it again, or move it away")
    return content
