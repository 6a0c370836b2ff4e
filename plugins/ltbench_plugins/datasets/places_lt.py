"""Places-LT: 365 scenes, 62,500 training images, 4,980 to 5 per class."""

from __future__ import annotations

from pathlib import Path

from ltbench import DataContext, DatasetSpec
from ltbench.data import Dataset, Preparation
from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.layout import expect_level
from ltbench_plugins.datasets.parts.published import ListedImages, ListsConfig, PublishedList

LISTED = ListedImages(
    name="places_lt",
    num_classes=365,
    published="Places_LT",
    lists={
        "train": PublishedList("train.txt", "6392252f8ae867bc8a5e841cc1b29e5b8ef4b636", 62_500),
        "val": PublishedList("val.txt", "b93a2ca58ccb7f3b671c176f395a70bf52c95533", 7_300),
        "test": PublishedList("test.txt", "e732e58b8aa718a2c1c11933375f5710652c2b93", 36_500),
    },
)
_SMALL = "the small images (256 x 256), easy directory structure: places365standard_easyformat.tar"
_DOWNLOAD = (
    f"download Places365-Standard from places2.csail.mit.edu, {_SMALL} (research and teaching "
    "only); unpack it and run `ltbench data prepare places_lt --source FOLDER` with its folder "
    "places365_standard"
)
_MAX_SIDE = 256  # pixels


def build(config: ListsConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from `<data root>/places_lt`: lists and images (Liu et al., CVPR 2019).

    The test split is the validation images of Places365; val is taken from its training images.
    Class names are the names of the folders.

    Raises:
        DataError: A list is missing or malformed.
    """
    splits, folders = LISTED.read(config, ctx)
    return Dataset(folders, splits)


def check(config: ListsConfig, ctx: DataContext) -> None:
    """Checks that the first image of each list exists and has the expected size.

    Raises:
        DataError: An image is missing or too large.
    """
    first = LISTED.check(config, ctx, _explain, _DOWNLOAD)
    if config.lists == "published":
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(first) as image:
                size = image.size
        except (UnidentifiedImageError, OSError):
            return  # a broken image is reported when all images are read
        if max(size) > _MAX_SIDE:
            raise _large(f"{first} is {size[0]} x {size[1]} pixels")


def prepare(config: ListsConfig, preparation: Preparation) -> None:
    """Fetches the lists and links a download of Places365.

    Raises:
        DataError: There is no download, or it is not the expected one.
    """
    source = preparation.source
    preparation.note_download(_DOWNLOAD, "train")
    LISTED.fetch_lists(config, preparation)
    if source is not None:
        for name in ("data_large", "data_large_standard", "val_large"):
            if (source / name).is_dir():
                raise _large(f"{source} holds {name}/")
        if (source / "data_256").is_dir():
            raise _lettered(source / "data_256")
        expect_level(source, ("train", "val"))
        for name in ("train", "val"):
            preparation.link(name, source / name)
    check(config, DataContext(preparation.folder.parent, data_seed=0))


def _explain(folder: Path, path: str) -> DataError | None:
    if (folder / "train" / path.split("/")[1][0]).is_dir():
        return _lettered(folder / "train")
    return None


def _large(what: str) -> DataError:
    return DataError(
        f"{what}: this is the high-resolution download of Places365", hint=f"use {_SMALL}"
    )


def _lettered(folder: Path) -> DataError:
    return DataError(
        f"{folder} is sorted by first letters (a/airfield), not in the easy directory structure",
        hint=f"use {_SMALL}",
    )


PLACES_LT = DatasetSpec(
    name="places_lt",
    summary="365 scenes, 62,500 training images, 4,980 to 5 per class",
    config=ListsConfig,
    build=build,
    identity=LISTED.identity,
    check=check,
    prepare=prepare,
    examples=(),
    reference="arXiv:1904.05160",
)
