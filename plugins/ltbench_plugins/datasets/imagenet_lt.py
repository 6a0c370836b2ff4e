"""ImageNet-LT: 1,000 classes, 115,846 training images, 1,280 to 5 a class."""

from __future__ import annotations

from pathlib import Path

from ltbench import DataContext, DatasetSpec, NoOptions
from ltbench.data import Dataset, FileImages, Split, git_blob_sha1, read_list
from ltbench.errors import DataError

NUM_CLASSES = 1000
_LISTS = {"train": "train.txt", "test": "test.txt"}
_HOW = (
    "put the lists (datasets/ImageNet_LT/{train,test}.txt of github.com/shijxcs/LIFT-plus) and "
    "ILSVRC 2012's train/ and val/ (both sorted into class folders; image-net.org, after "
    "registration) into that folder, links will do; then run again with --data-root naming the "
    "folder above it"
)


def build(config: NoOptions, ctx: DataContext) -> Dataset:
    """Builds the data set from `<data root>/imagenet_lt`: lists and images (Liu et al., CVPR 2019).

    The test split is the 50,000 validation images of ILSVRC 2012.
    """
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

    root = _root(ctx)
    splits = {}
    for split, name in _LISTS.items():
        paths, labels = read_list(root / name, NUM_CLASSES)
        if len(paths) and not (root / paths[0].as_py()).is_file():
            raise DataError(f"imagenet_lt: {root / paths[0].as_py()} is missing", hint=_HOW)
        splits[split] = Split(FileImages(root, paths), labels)
    return Dataset(tuple(IMAGENET_CLASSNAMES), splits)


def identity(config: NoOptions, ctx: DataContext) -> str:
    """Returns the git blob names of the lists."""
    root = _root(ctx)
    return " ".join(f"{s}:{git_blob_sha1((root / n).read_bytes())}" for s, n in _LISTS.items())


def _root(ctx: DataContext) -> Path:
    root = ctx.root / "imagenet_lt"
    missing = [name for name in _LISTS.values() if not (root / name).is_file()]
    if missing:
        raise DataError(f"imagenet_lt: {root} has no {' and no '.join(missing)}", hint=_HOW)
    return root


IMAGENET_LT = DatasetSpec(
    name="imagenet_lt",
    summary="1,000 classes, 115,846 training images, 1,280 to 5 a class",
    build=build,
    identity=identity,
    examples=(),
    reference="arXiv:1904.05160",
)
