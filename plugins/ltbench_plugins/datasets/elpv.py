"""Electroluminescence images of solar cells: 2,624 photographs, naturally imbalanced."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, NoOptions
from ltbench.data import Dataset, FileImages, Split, combined_digest, file_digests, read_regular
from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.classes import every

NAMES = (
    "functional solar cell",
    "possibly defective solar cell",
    "probably defective solar cell",
    "defective solar cell",
)
"""Ratings of the experts, by the probability of a defect: 0, 1/3, 2/3, 1."""

_PACKAGE = "elpv_dataset"
_MAX_BYTES = 1 << 27
_TEST_STEP = 4  # every fourth image of a class is a test image
_LINE = r"^images/[A-Za-z0-9_]+\.png +[01](\.[0-9]+)? +(mono|poly)$"
_HINT = "pip install --force-reinstall --no-deps elpv-dataset"


def build(config: NoOptions, ctx: DataContext) -> Dataset:
    """Builds the data set from the files of the package `elpv-dataset` (300 x 300, grey).

    Every fourth image of each class, in the order of its list, is in the test split, whatever the
    seeds. The package does not record from which of the 44 modules a cell was taken: a test cell
    may have neighbours in the training split.

    Raises:
        DataError: The package is not installed, or its files are not as expected.
    """
    root = _root()
    paths, labels = _read(root / "labels.csv")
    test = every(labels, _TEST_STEP)
    splits = {
        name: Split(FileImages(root, paths.filter(_mask(members)), _HINT), labels[members])
        for name, members in (("train", ~test), ("test", test))
    }
    return Dataset(NAMES, splits)


def identity(config: NoOptions, ctx: DataContext) -> str:
    """Returns the digest of the package's list, and one of its images."""
    root = _root()
    listed = hashlib.sha256(_content(root / "labels.csv")).hexdigest()
    images = file_digests(root, _read(root / "labels.csv")[0], ctx.progress)
    return f"sha256:{listed} content:{combined_digest(images)}"


def check(config: NoOptions, ctx: DataContext) -> None:
    """Checks that the first image exists."""
    root = _root()
    first = root / _read(root / "labels.csv")[0][0].as_py()
    if not first.is_file():
        raise DataError(f"{first} does not exist", hint=_HINT)


def installed() -> bool:
    """Returns whether the package with the images is installed."""
    return find_spec(_PACKAGE) is not None


def _root() -> Path:
    """Returns the folder of the package's files, without importing the package."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "data set 'elpv' needs the package elpv-dataset, which contains its images (91 MB; "
            "CC BY-NC-SA 4.0)",
            hint='pip install "ltbench[elpv]"',
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _read(path: Path) -> tuple[Any, NDArray[np.int64]]:
    """Returns the paths, a pyarrow string array, and the class ids, (N,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lines = pa.array(_content(path).decode().splitlines(), pa.string())
    at = pc.index(pc.match_substring_regex(lines, _LINE), value=False).as_py()
    if at >= 0 or not len(lines):
        raise DataError(f"{path}:{at + 1}: expected 'images/NAME.png PROBABILITY TYPE'", hint=_HINT)
    fields = pc.split_pattern_regex(lines, " +")
    probability = pc.cast(pc.list_element(fields, 1), pa.float64()).to_numpy()
    labels = np.rint(probability * (len(NAMES) - 1)).astype(np.int64)
    return pc.list_element(fields, 0), labels


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, _MAX_BYTES)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error


def _mask(members: NDArray[np.bool_]) -> Any:
    import pyarrow as pa

    return pa.array(members)


ELPV = DatasetSpec(
    name="elpv",
    summary="2,624 images of solar cells, 1,131 to 80 per class; needs `ltbench[elpv]`",
    build=build,
    identity=identity,
    check=check,
    examples=({},) if installed() else (),
    reference="doi:10.1016/j.solener.2019.02.067",
)
