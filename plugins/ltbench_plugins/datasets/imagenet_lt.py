"""ImageNet-LT: 1,000 classes, 115,846 training images, 1,280 to 5 per class."""

from __future__ import annotations

from pathlib import Path

from ltbench import DataContext, DatasetSpec
from ltbench.data import Dataset, Preparation
from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.layout import expect_level
from ltbench_plugins.datasets.parts.published import ListedImages, ListsConfig, PublishedList

LISTED = ListedImages(
    name="imagenet_lt",
    num_classes=1000,
    published="ImageNet_LT",
    lists={
        "train": PublishedList("train.txt", "a063f095fcd475db4cf8b0658c4b73955535bbf9", 115_846),
        "val": PublishedList("val.txt", "3ed3188b2f44829ce2dec1cc27040d8d40984088", 20_000),
        "test": PublishedList("test.txt", "76a2fb9749d6cd29e765cc4f8c270f2504131e2f", 50_000),
    },
)
_DOWNLOAD = (
    "download ILSVRC 2012 (ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar) from image-net.org, "
    "and accept its terms (registration; research only, no redistribution); unpack it to "
    "train/<class>/ and val/, and run `ltbench data prepare imagenet_lt --source FOLDER` with the "
    "parent folder"
)
_FLAT = "ILSVRC2012_val_*.JPEG"


def build(config: ListsConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from `<data root>/imagenet_lt`: lists and images (Liu et al., CVPR 2019).

    The test split is the 50,000 validation images of ILSVRC 2012; val is taken from its training
    images. Class names are looked up by the folders' WordNet ids.

    Raises:
        DataError: A list is missing or malformed, or a folder is not an ILSVRC class.
    """
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
    from timm.data.imagenet_info import ImageNetInfo

    splits, folders = LISTED.read(config, ctx)
    names = dict(zip(ImageNetInfo().label_names(), IMAGENET_CLASSNAMES, strict=True))
    unknown = [folder for folder in folders if folder not in names]
    if unknown:
        raise DataError(
            f"imagenet_lt: {unknown[0]} is not a class of ILSVRC 2012",
            hint="write paths in the lists like train/n01440764/n01440764_18.JPEG, without gaps "
            "in the class ids",
        )
    return Dataset(tuple(names[folder] for folder in folders), splits)


def check(config: ListsConfig, ctx: DataContext) -> None:
    """Checks that the first image of each list exists.

    Raises:
        DataError: An image is missing.
    """
    LISTED.check(config, ctx, _explain, _DOWNLOAD)


def prepare(config: ListsConfig, preparation: Preparation) -> None:
    """Fetches the lists and links a download of ILSVRC 2012; a flat val folder is sorted by links.

    Raises:
        DataError: There is no download, or it is not the expected one.
    """
    source = preparation.source
    preparation.note_download(_DOWNLOAD, "train")
    LISTED.fetch_lists(config, preparation)
    if source is not None:
        expect_level(source, ("train", "val"))
        if any((source / "train").glob("n*.tar")):
            raise DataError(
                f"{source / 'train'} holds one archive per class",
                hint="unpack each into a folder of its name: "
                "for f in n*.tar; do mkdir ${f%.tar}; tar xf $f -C ${f%.tar}; done",
            )
        if _is_flat(source / "val"):
            preparation.note(f"{source / 'val'} has no class folders: links will sort its images")
            below = [path.removeprefix("val/") for path in LISTED.paths("test", preparation.folder)]
            files = [(path, source / "val" / Path(path).name) for path in below]
            preparation.link_files("val", files)
        else:
            preparation.link("val", source / "val")
        preparation.link("train", source / "train")
    check(config, DataContext(preparation.folder.parent, data_seed=0))


def _explain(folder: Path, path: str) -> DataError | None:
    if path.startswith("val/") and _is_flat(folder / "val"):
        return DataError(
            f"{folder / 'val'} has no class folders",
            hint="rename this link and run `ltbench data prepare imagenet_lt --source FOLDER`, "
            "which sorts by links and does not change the download",
        )
    return None


def _is_flat(val: Path) -> bool:
    return next(val.glob(_FLAT), None) is not None


IMAGENET_LT = DatasetSpec(
    name="imagenet_lt",
    summary="1,000 classes, 115,846 training images, 1,280 to 5 per class",
    config=ListsConfig,
    build=build,
    libraries=("open_clip",),
    identity=LISTED.identity,
    check=check,
    prepare=prepare,
    label_set="imagenet_1k",
    examples=(),
    reference="arXiv:1904.05160",
)
