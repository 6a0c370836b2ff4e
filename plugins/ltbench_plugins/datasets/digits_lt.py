"""Handwritten digits made long-tailed, a data set that needs no download."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from ltbench import DataContext, DatasetSpec, Recipe, option
from ltbench.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ltbench.data import Dataset

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIDE = 32
_TEST_STEP = 5  # every fifth image of a class is a test image
_SHA256 = "65e5b4619795efb40c1082f4c350c049e4ad552200d369b6ae99e21eef5e72c5"


@dataclass(frozen=True)
class DigitsConfig:
    """Options of digits_lt."""

    largest: Annotated[int, Ge(1), Le(143)] = option(143, "number of training images of class zero")
    ratio: Annotated[float, Ge(1)] = option(20.0, "largest over smallest class count")


def build(config: DigitsConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from scikit-learn's digits (UCI optical recognition, test part).

    Every fifth image of each class is in the test split, whatever the seeds. The training split is
    a long-tailed subset of the others, n_k falling exponentially from zero to nine, and the rest is
    the val split. The 8 x 8 images are enlarged to 32 x 32 (bicubic).
    """
    import numpy as np

    from ltbench.data import ArrayImages, Dataset, Split, exponential_counts, select_counts

    pixels, labels = _digits()
    test = is_test(labels)
    pool = np.flatnonzero(~test)
    counts = exponential_counts(len(NAMES), config.largest, config.ratio)
    train = pool[select_counts(labels[pool], counts, ctx.data_seed)]
    members = {"train": train, "val": np.setdiff1d(pool, train), "test": np.flatnonzero(test)}
    return Dataset(
        NAMES,
        {name: Split(ArrayImages(pixels[at]), labels[at]) for name, at in members.items()},
    )


@functools.cache
def _digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Returns the enlarged images and the labels, which are the same for all options: 5.5 MB."""
    import numpy as np
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = digits.images.astype(np.uint8)
    labels = digits.target.astype(np.int64)
    digest = hashlib.sha256(grey.tobytes() + labels.tobytes()).hexdigest()
    if digest != _SHA256:
        raise DataError(
            f"scikit-learn's digits differ from those of digits_lt (sha256 {digest[:12]})",
            hint="install an unmodified scikit-learn",
        )
    return enlarge(grey), labels


def is_test(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns whether each image is in the test split: every fifth of a class, in file order."""
    import numpy as np

    test = np.zeros(len(labels), dtype=bool)
    for label in range(len(NAMES)):
        test[np.flatnonzero(labels == label)[_TEST_STEP - 1 :: _TEST_STEP]] = True
    return test


def enlarge(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns images (N, 32, 32, 3) for grey values (N, 8, 8) in 0..16."""
    import numpy as np
    from PIL import Image

    levels = np.round(grey * (255 / 16)).astype(np.uint8)
    size = (SIDE, SIDE)
    large = [
        np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
        for picture in levels
    ]
    return np.repeat(np.stack(large)[..., None], 3, axis=-1)


def identity(config: DigitsConfig, ctx: DataContext) -> str:
    """Returns the hash of the digits, which `build` checks."""
    from ltbench.data import counts_rule

    return f"sha256:{_SHA256}{counts_rule(len(NAMES), config.largest, config.ratio)}"


DIGITS_LT = DatasetSpec(
    name="digits_lt",
    summary="1,797 handwritten digits made long-tailed; part of scikit-learn",
    config=DigitsConfig,
    build=build,
    libraries=("sklearn.datasets",),
    identity=identity,
    reference="doi:10.24432/C50P49",
    default=True,
    recipe=Recipe(settings={"train.batch_size": 32, "train.epochs": 10}),
)
