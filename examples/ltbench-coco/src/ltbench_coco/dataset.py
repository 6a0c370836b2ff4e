"""Data set of COCO objects: options, splits and places of its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import (
    Dataset,
    FileImages,
    Preparation,
    Split,
    combined_digest,
    file_digests,
)
from ltbench.errors import ConfigError, DataError, suggestion
from ltbench_coco.annotations import BOX, Annotations
from ltbench_coco.crops import Crops

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "coco_objects"
SAMPLE = Path(__file__).with_name("sample") / "annotations.json"
"""Six small sheets of digits, for the conformance checks."""

_TEST_STEP = 5  # without test annotations, every fifth photograph is for test
_IMAGES = "set dataset.images to the folder of the relative file names"


@dataclass(frozen=True)
class CocoConfig:
    """Options of coco_objects."""

    path: Path | None = option(None, "required: annotations of the photographs to train on")
    test: Path | None = option(
        None, "annotations to test on; none: every fifth photograph is held out"
    )
    val: Path | None = option(None, "annotations to validate on")
    images: Path | None = option(
        None, "folder of the relative file names; none: that of each annotation file"
    )
    smallest: Annotated[int, Ge(1)] = option(
        1, "minimum width and height of a box in pixels; smaller objects are left out"
    )
    margin: Annotated[float, Ge(0), Le(10)] = option(
        0.1, "margin on each side of a box, as a share of its width or height"
    )


def build(config: CocoConfig, ctx: DataContext) -> Dataset:
    """Builds the data set: each object with a box is an image, cropped when it is read.

    Classes are the categories that have training objects, in the order of their ids; `_` in a name
    is read as a blank. Crowds are left out, as in COCO's own evaluation.

    Without `test`, every fifth photograph (in the order of the annotations) is held out with all of
    its objects, whatever the seeds, so that no photograph is in both splits. A photograph with a
    class that no training photograph has stays in the training split.

    Raises:
        ConfigError: No path was given.
        DataError: Annotations are malformed, a class has no training objects, or a photograph is
            both in train and in test.
    """
    tables = {
        split: _large_enough(Annotations.read(path), _indices(ctx), config.smallest)
        for split, path in _paths(config).items()
    }
    class_names = _class_names(tables["train"])
    labels = {split: _labels(split, table, class_names) for split, table in tables.items()}
    if "test" not in tables:
        held = held_out(_photographs(tables["train"]), labels["train"])
        tables["test"], labels["test"] = _part(tables["train"], labels["train"], held)
        tables["train"], labels["train"] = _part(tables["train"], labels["train"], ~held)
        if not len(labels["test"]):
            raise DataError(
                f"{config.path} has no photograph to hold out for testing",
                hint="annotate more photographs, or add --set dataset.test=FILE",
            )
    _expect_apart(tables)
    return Dataset(
        class_names,
        {
            split: Split(_crops(table, _root(config, split), config.margin), labels[split])
            for split, table in tables.items()
        },
    )


def identity(config: CocoConfig, ctx: DataContext) -> str:
    """Returns the git blob names of the annotation files, and digests of their photographs."""
    import pyarrow.compute as pc

    parts = []
    for split, path in _paths(config).items():
        annotations = Annotations.read(path)
        files = annotations.objects(_indices(ctx)).column("file")
        names = pc.unique(files).cast("string")
        photographs = file_digests(_root(config, split), names, ctx.progress)
        parts.append(f"{split}:{annotations.sha1}:{combined_digest(photographs)}")
    return " ".join(parts)


def check(config: CocoConfig, ctx: DataContext) -> None:
    """Checks the first photograph of each file, the last and one in between."""
    for split, path in _paths(config).items():
        files = Annotations.read(path).objects(_indices(ctx)).column("file")
        for row in (0, len(files) // 2, len(files) - 1):
            photograph = _root(config, split) / files[row].as_py()
            if not photograph.is_file():
                raise DataError(f"{path}: {photograph} does not exist", hint=_IMAGES)


def prepare(config: CocoConfig, preparation: Preparation) -> None:
    """Writes an index of each annotation file, so that every later start is fast.

    Nothing is downloaded or linked: photographs stay where they are. A file that changes is read
    again until it has a new index.
    """
    for path in _paths(config).values():
        annotations = Annotations.read(path)
        if (preparation.folder / annotations.index_name).is_file():
            preparation.note(f"{path}: index exists")
        else:
            preparation.write(annotations.index_name, annotations.index())


def held_out(photographs: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns whether each object is held out, with every fifth photograph, (N,).

    Args:
        photographs: Photograph of each object, (N,), numbered from 0.
        labels: Class ids, (N,).
    """
    held: NDArray[np.bool_] = photographs % _TEST_STEP == _TEST_STEP - 1
    untrained = ~np.isin(labels, labels[~held])
    return held & ~np.isin(photographs, photographs[untrained])


def _paths(config: CocoConfig) -> dict[str, Path]:
    """Returns the annotation files by split."""
    if config.path is None:
        raise ConfigError(
            f"dataset.path: data set '{NAME}' expected a file of annotations, got none",
            hint="add --set dataset.path=FILE.json, and --set dataset.images=FOLDER where the "
            "photographs are not beside it",
        )
    given = {"train": config.path, "val": config.val, "test": config.test}
    return {split: path.expanduser() for split, path in given.items() if path is not None}


def _indices(ctx: DataContext) -> Path:
    return ctx.root / NAME


def _root(config: CocoConfig, split: str) -> Path:
    """Returns the folder of a split's relative file names."""
    paths = _paths(config)
    return config.images.expanduser() if config.images else paths.get(split, paths["train"]).parent


def _large_enough(annotations: Annotations, indices: Path, smallest: int) -> Any:
    import pyarrow.compute as pc

    table = annotations.objects(indices)
    shorter = pc.min_element_wise(table.column("width"), table.column("height"))
    table = table.filter(pc.greater_equal(shorter, smallest))
    if not len(table):
        raise DataError(
            f"{annotations.path}: no box is {smallest} pixels wide and high",
            hint="choose a smaller dataset.smallest",
        )
    return table


def _class_names(table: Any) -> tuple[str, ...]:
    pairs = zip(
        table.column("category_id").to_pylist(), table.column("category").to_pylist(), strict=True
    )
    return tuple(name for _, name in sorted(set(pairs)))


def _labels(split: str, table: Any, class_names: tuple[str, ...]) -> NDArray[np.int64]:
    """Returns the class ids, (N,), by name, because exports may number categories differently."""
    encoded = table.column("category").combine_chunks()
    ids = {name: label for label, name in enumerate(class_names)}
    indices = encoded.indices.to_numpy()
    known = encoded.dictionary.to_pylist()
    of_known = np.array([ids.get(name, -1) for name in known], np.int64)
    labels: NDArray[np.int64] = of_known[indices]
    untrained = np.flatnonzero(labels < 0)
    if len(untrained):
        name = known[indices[untrained[0]]]
        raise DataError(
            f"{split} has objects of the class '{name}', and train has none",
            hint=f"{suggestion(name, class_names)}; dataset.smallest=1 leaves no object out",
        )
    return labels


def _photographs(table: Any) -> NDArray[np.int64]:
    """Returns the photograph of each object, (N,), numbered in the order of appearance."""
    return np.asarray(_encoded_files(table).indices).astype(np.int64)


def _encoded_files(table: Any) -> Any:
    import pyarrow as pa

    return table.column("file").cast(pa.string()).combine_chunks().dictionary_encode()


def _part(
    table: Any, labels: NDArray[np.int64], members: NDArray[np.bool_]
) -> tuple[Any, NDArray[np.int64]]:
    import pyarrow as pa

    return table.filter(pa.array(members)), labels[members]


def _expect_apart(tables: Mapping[str, Any]) -> None:
    train, test = (_encoded_files(tables[split]).dictionary for split in ("train", "test"))
    shared = sorted(set(train.to_pylist()) & set(test.to_pylist()))
    if shared:
        raise DataError(
            f"{shared[0]!r} is in train and in test",
            hint="annotate each photograph in one file only",
        )


def _crops(table: Any, root: Path, margin: float) -> Crops:
    columns = [table.column(name).to_numpy() for name in BOX]
    photographs = FileImages(root, _encoded_files(table).dictionary, _IMAGES)
    return Crops(photographs, _photographs(table), np.stack(columns, axis=1), margin)


COCO_OBJECTS = DatasetSpec(
    name=NAME,
    summary="objects of own photographs with COCO annotations, cropped to their boxes",
    config=CocoConfig,
    build=build,
    identity=identity,
    check=check,
    prepare=prepare,
    reference="cocodataset.org/#format-data",
    examples=({"path": SAMPLE},),
)
