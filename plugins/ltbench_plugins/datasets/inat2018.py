"""iNaturalist 2018: 8,142 species, 437,513 training images; or a coarser level of the taxonomy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import Dataset, Preparation, Split, read_regular
from ltbench.errors import ConfigError, DataError
from ltbench_plugins.datasets.parts import inat_prepare
from ltbench_plugins.datasets.parts.inat_prepare import IMAGES
from ltbench_plugins.datasets.parts.inat_taxonomy import CATEGORIES, Level, Taxonomy
from ltbench_plugins.datasets.parts.published import ListedImages, ListsConfig, PublishedList

LISTED = ListedImages(
    name="inat2018",
    num_classes=8142,
    published="iNaturalist2018",
    lists={
        "train": PublishedList("train.txt", "4accdb7584d2f0a5106c40a33ed6afa392189bcc", 437_513),
        "test": PublishedList("val.txt", "4c23900857fd0f5adcd4cc0dffef345039eeb05f", 24_426),
    },
)
_MAX_NAMES_BYTES = 1 << 27
_DOWNLOAD = (
    "download train_val2018.tar.gz (120 GB, MD5 b1c6952ce38f31868cc50ea72d066cc3) from "
    "github.com/visipedia/inat_comp, 2018 (non-commercial research and education only, no "
    "redistribution); unpack it and run `ltbench data prepare inat2018 --source FOLDER` with the "
    "parent folder of train_val2018"
)


@dataclass(frozen=True)
class InatConfig(ListsConfig):
    """Options of inat2018."""

    level: Level = option("species", "taxonomic level of the classes")
    label_order: Literal["official", "paper"] = option(
        "official", "order of the species: ids of the competition, or in papers sorted by name"
    )


def build(config: InatConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from `<data root>/inat2018`: lists, names and images.

    The test split is the official validation images. Species have the ids of the competition, or
    those of their sorted names, as in the papers' code; coarser classes are always sorted by name.

    Raises:
        ConfigError: `label_order` is set for a level other than species.
        DataError: A list or the file of names is missing or malformed.
    """
    splits, _ = LISTED.read(config, ctx)
    taxonomy = _taxonomy(config, ctx)
    for split, part in splits.items():
        largest = int(part.labels.max(initial=0))
        if largest >= len(taxonomy):
            raise DataError(
                f"{LISTED.folder(ctx) / LISTED.lists[split].file}: expected labels up to "
                f"{len(taxonomy) - 1}, as in {CATEGORIES}, got {largest}",
                hint="use lists and categories of the same data set",
            )
    if config.level == "species" and config.label_order == "official":
        return Dataset(taxonomy.names["species"], splits)
    names, labels = taxonomy.sorted_labels(config.level)
    return Dataset(
        names, {split: Split(part.images, labels[part.labels]) for split, part in splits.items()}
    )


def identity(config: InatConfig, ctx: DataContext) -> str:
    """Returns the git blob names of the lists, and a hash of all species' names.

    Raises:
        ConfigError: See `build`.
        DataError: See `build`.
    """
    return f"{LISTED.identity(config, ctx)} categories:{_taxonomy(config, ctx).identity()}"


def check(config: InatConfig, ctx: DataContext) -> None:
    """Checks that the first image of each list exists.

    Raises:
        DataError: An image is missing.
    """
    LISTED.check(config, ctx, inat_prepare.explain, _DOWNLOAD)


def prepare(config: InatConfig, preparation: Preparation) -> None:
    """Puts lists and names in place, and links a download of the images.

    Raises:
        DataError: There is no download, or it is not the expected one.
    """
    source = preparation.source
    preparation.note_download(_DOWNLOAD, IMAGES)
    if source is not None:
        inat_prepare.expect_download(source)
    inat_prepare.put_texts(LISTED, config, preparation)
    if source is not None:
        preparation.link(IMAGES, source / IMAGES)
    check(config, DataContext(preparation.folder.parent, data_seed=0))


def _taxonomy(config: InatConfig, ctx: DataContext) -> Taxonomy:
    if config.level != "species" and config.label_order == "paper":
        raise ConfigError(
            f"dataset.label_order=paper orders species, not level {config.level}",
            hint="omit dataset.label_order: coarser classes are sorted by name, as in the papers",
        )
    path = LISTED.folder(ctx) / CATEGORIES
    hint = "run `ltbench data prepare inat2018`, which fetches it"
    try:
        return Taxonomy.parse(
            read_regular(path, _MAX_NAMES_BYTES), published=config.lists == "published"
        )
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except ValueError as error:
        raise DataError(f"{path}: {error}", hint=hint) from error


INAT2018 = DatasetSpec(
    name="inat2018",
    summary="8,142 species (or 6 kingdoms to 4,401 genera), 437,513 training images",
    config=InatConfig,
    build=build,
    identity=identity,
    check=check,
    prepare=prepare,
    examples=(),
    reference="arXiv:1707.06642",
)
