"""Data set of the Hugging Face hub, or one saved by its package `datasets`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import (
    Dataset,
    DigestRule,
    Digests,
    Preparation,
    Split,
    combined_digest,
    with_home,
)
from ltbench.errors import ConfigError, DataError, MissingPathError
from ltbench_plugins.datasets.parts.huggingface_columns import find_column, read_labels
from ltbench_plugins.datasets.parts.huggingface_table import TableImages
from ltbench_plugins.datasets.parts.own_images import OwnImages, repeated_rows
from ltbench_plugins.hub import hub_or_cache

_SAVED = ("dataset_dict.json", "state.json")
"""Files that `save_to_disk` writes for several splits, and for one split."""


@dataclass(frozen=True)
class HuggingFaceConfig(OwnImages):
    """Options of the huggingface data set."""

    name: str | None = option(None, "name on the hub, such as uoft-cs/cifar100")
    path: Path | None = option(
        None, "folder of save_to_disk, or of files for load_dataset; excludes name"
    )
    subset: str | None = option(None, "configuration of the data set")
    revision: str | None = option(None, "commit, tag or branch on the hub")
    train: str = option("train", "split to train on")
    val: str | None = option(None, "split for validation; none: held out of train when needed")
    test: str = option("test", "split to evaluate on")
    image: str | None = option(None, "column of the images; none: the only one with images")
    label: str | None = option(None, "column of the classes; none: the only one of class labels")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name is not None and self.path is not None:
            raise ConfigError(
                f"dataset.name={self.name} and dataset.path={self.path} exclude each other",
                hint="set only one of them",
            )
        if self.name is not None and Path(self.name).exists():
            raise ConfigError(
                f"dataset.name={self.name} is a local folder, not a name on the hub",
                hint=f"add --set dataset.path={self.name}",
            )
        if self.name is None and self.revision is not None:
            raise ConfigError(
                f"dataset.revision={self.revision}: only data sets on the hub have revisions",
                hint="omit it, or add --set dataset.name=NAME",
            )
        if len(set(self.splits.values())) < len(self.splits):
            raise ConfigError(
                f"dataset.train, val and test are {', '.join(self.splits.values())}",
                hint="choose different splits: training images must not be test images",
            )

    @property
    def splits(self) -> dict[str, str]:
        """Name in the data set of each split used here."""
        named = {"train": self.train, "val": self.val, "test": self.test}
        return {ours: theirs for ours, theirs in named.items() if theirs is not None}

    @property
    def place(self) -> Path | None:
        """Folder that the default title is the name of; or the name on the hub, as a path."""
        return Path(self.name) if self.name is not None else self.path

    @property
    def where(self) -> str:
        """Name of the data set for messages."""
        return str(self.name or self.path)


@dataclass(frozen=True)
class _Loaded:
    """Rows of each split, the image column, and the classes."""

    rows: Mapping[str, Any]
    image: str
    class_names: tuple[str, ...]
    labels: Mapping[str, NDArray[np.int64]]


def build(config: HuggingFaceConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from splits that `datasets` loads, from the hub or a folder.

    Images stay encoded, in Arrow files mapped into memory, and are decoded when they are read. Code
    that comes with a data set is never run. Labels that are not a `ClassLabel` are numbered in the
    order of their names, or of their values if all names are numbers.

    Raises:
        ConfigError: The package `datasets` is not installed, or no data set was named.
        DataError: The data set cannot be loaded, lacks a split, a column or labels, or has an image
            more than once.
    """
    loaded = _load(config)
    tables = _tables(config, loaded)
    splits = {name: Split(table, loaded.labels[name]) for name, table in tables.items()}
    dataset = Dataset(loaded.class_names, splits)
    digests = _digests(tables, config.digest, ctx)
    if config.digest == "sampled":
        for name, rows in repeated_rows(digests).items():
            digests[name][rows] = tables[name].digests(ctx, "content", rows)
    return config.finish(
        dataset,
        digests,
        lambda split, at: f"row {at} of {config.splits[split]}",
        config.where,
        ctx,
    )


def identity(config: HuggingFaceConfig, ctx: DataContext) -> str:
    """Returns a digest of class names, labels, and the encoded content of each image.

    It does not depend on the place of the data set, or on the form in which it was saved. A data
    set on the hub is downloaded for it, once.
    """
    loaded = _load(config)
    hashed = hashlib.sha256("\0".join(loaded.class_names).encode())
    digests = _digests(_tables(config, loaded), config.digest, ctx)
    for name, values in digests.items():
        hashed.update(f"\0{name}\0".encode())
        hashed.update(loaded.labels[name].astype("<i8").tobytes())
        hashed.update(combined_digest(values).encode())
    return f"{config.digest}:{hashed.hexdigest()}"


def _tables(config: HuggingFaceConfig, loaded: _Loaded) -> dict[str, TableImages]:
    """Returns the images of each split by its name."""
    return {
        name: TableImages(rows, loaded.image, f"{config.where}, split {config.splits[name]}")
        for name, rows in loaded.rows.items()
    }


def _digests(
    tables: Mapping[str, TableImages], rule: DigestRule, ctx: DataContext
) -> dict[str, Digests]:
    return {name: table.digests(ctx, rule) for name, table in tables.items()}


def check(config: HuggingFaceConfig, ctx: DataContext) -> None:
    """Loads the data set, which contains its images."""
    _load(config)


def prepare(config: HuggingFaceConfig, preparation: Preparation) -> None:
    """Loads the data set, if needed from the hub, into the cache folder of `datasets`."""
    loaded = _load(config)
    preparation.note(f"{config.where}: {sum(map(len, loaded.rows.values())):,} images")


def _load(config: HuggingFaceConfig) -> _Loaded:
    if config.name is None and config.path is None:
        raise ConfigError(
            "dataset.name: data set 'huggingface' needs a name or a path",
            hint="add --set dataset.name=NAME (on the hub), or --set dataset.path=FOLDER",
        )
    try:
        import datasets
    except ImportError as error:
        raise ConfigError(
            f"data set 'huggingface' needs the package datasets ({error})",
            hint='pip install "ltbench[huggingface]"',
        ) from error
    found = _open(datasets, config)
    missing = [name for name in config.splits.values() if name not in found]
    if missing:
        raise DataError(
            f"{config.where} has no split {missing[0]!r}, only {', '.join(map(str, found))}",
            hint="choose with --set dataset.train=, dataset.val= and dataset.test=",
        )
    rows = {ours: found[theirs] for ours, theirs in config.splits.items()}
    features = rows["train"].features
    for name, part in rows.items():
        if part.features != features:
            raise DataError(
                f"{config.where}: split {config.splits[name]} has other columns than train",
                hint="choose splits with the same columns",
            )
    image = find_column(config.where, "image", config.image, datasets.Image, features)
    label = find_column(config.where, "label", config.label, datasets.ClassLabel, features)
    class_names, labels = read_labels(config.where, features[label], label, rows)
    encoded = datasets.Image(decode=False)
    encoded_images = {
        name: part.select_columns([image]).cast_column(image, encoded)
        for name, part in rows.items()
    }
    return _Loaded(encoded_images, image, class_names, labels)


def _open(datasets: Any, config: HuggingFaceConfig) -> Mapping[str, Any]:
    """Returns the splits of the data set by name.

    Raises:
        DataError: The package cannot load them.
    """
    hint = "check the name and the network; to work offline, run `ltbench data prepare "
    hint += "huggingface` with the same options before"
    path = config.path
    if path is not None:
        path = with_home(path)
        hint = "set dataset.path to a folder of save_to_disk, or of parquet files, ..."
        if not path.is_dir():
            what = "is a file, not a folder" if path.exists() else "does not exist"
            raise MissingPathError(f"{path} {what}", hint=hint)
    is_saved = path is not None and any((path / name).is_file() for name in _SAVED)
    if is_saved and config.subset is not None:
        raise ConfigError(
            f"dataset.subset={config.subset}: {path} was saved by save_to_disk, without subsets",
            hint="omit dataset.subset",
        )
    with hub_or_cache(needed=path is None) as silence:
        try:
            if is_saved:
                found: Mapping[str, Any] | Any = datasets.load_from_disk(str(path))
            else:
                found = datasets.load_dataset(
                    str(path) if path else config.name, config.subset, revision=config.revision
                )
        except Exception as error:  # the package raises errors of any kind for damaged files
            reason = silence or str(error).strip() or type(error).__name__
            raise DataError(f"{config.where} cannot be loaded: {reason}", hint=hint) from error
    if not isinstance(found, Mapping):
        raise DataError(f"{path} is a single split", hint="save a DatasetDict with train and test")
    return found


HUGGINGFACE = DatasetSpec(
    name="huggingface",
    summary="data set of the Hugging Face hub or saved by `datasets`; needs `ltbench[huggingface]`",
    config=HuggingFaceConfig,
    build=build,
    libraries=("datasets",),
    identity=identity,
    check=check,
    prepare=prepare,
    examples=(),
    reference="github.com/huggingface/datasets",
)
