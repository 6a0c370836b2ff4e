"""Handwritten digits made long-tailed, a data set that needs no download."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
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
    """Returns the enlarged images and the labels, which are the same for all options: 5.5 MB.

    The file is read without scikit-learn's code, whose import takes longer than all else that
    precedes a training, but for torch.
    """
    import numpy as np

    try:
        table = np.loadtxt(_file(), dtype=np.int64, delimiter=",")
        grey, labels = table[:, :-1].reshape(-1, 8, 8).astype(np.uint8), table[:, -1].copy()
        digest = hashlib.sha256(grey.tobytes() + labels.tobytes()).hexdigest()
    except (OSError, ValueError, IndexError) as error:
        raise _other_digits(f"cannot be read: {error}") from error
    if digest != _SHA256:
        raise _other_digits(f"differ from those of digits_lt (sha256 {digest[:12]})")
    return enlarge(grey), labels


def _file() -> Path:
    """Returns the file of the digits: a row has the 64 grey values of an image, and its label."""
    package = find_spec("sklearn")
    folder = Path(package.origin).parent if package and package.origin else Path("sklearn")
    return folder / "datasets" / "data" / "digits.csv.gz"


def _other_digits(fault: str) -> DataError:
    return DataError(f"scikit-learn's digits {fault}", hint="install an unmodified scikit-learn")


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
    identity=identity,
    reference="doi:10.24432/C50P49",
    default=True,
    recipe=Recipe(settings={"train.batch_size": 32, "train.epochs": 10}),
)
