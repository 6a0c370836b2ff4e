"""Options of own images without splits: the amounts that are drawn of each class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Lt
from numpy.typing import NDArray

from ltbench import option
from ltbench.data import draw_splits
from ltbench.errors import ConfigError, DataError
from ltbench_plugins.datasets.parts.own_images import OwnImages

Amount = Annotated[int, Ge(1)] | Annotated[float, Gt(0), Lt(1)]
_MAX_SHOWN_CLASSES = 5


@dataclass(frozen=True)
class DrawnImages(OwnImages):
    """Options of folder and csv."""

    test: Amount | None = option(
        None,
        "test images to draw of each class where there is no test split: a number such as 5, or a "
        "share such as 0.2",
        added=True,
    )
    val: Amount | None = option(
        None,
        "validation images to draw of each class, as for test; none: held out of train when a run "
        "needs them",
        added=True,
    )

    def expect_undivided(self, given: Iterable[str], where: str) -> None:
        """Checks that no split is to be drawn that the data set has.

        Raises:
            ConfigError: A split would be drawn in spite of its images.
        """
        for split in ("test", "val"):
            if split in given and getattr(self, split) is not None:
                raise ConfigError(
                    f"dataset.{split}={getattr(self, split)}: {where} has a {split} split",
                    hint=f"leave dataset.{split} out, which draws a missing split",
                )

    def draw(
        self,
        labels: NDArray[np.int64],
        class_names: Sequence[str],
        test: float | None,
        data_seed: int,
        where: str,
    ) -> tuple[dict[str, NDArray[np.int64]], tuple[str, ...]]:
        """Draws the splits of images without any.

        Args:
            labels: Class ids, (N,).
            class_names: Names of the K classes.
            test: Share of test images where the option is not set; None for no test split.
            data_seed: Seed of the draw.
            where: Name of the data set for messages.

        Returns:
            Indices of the images of each split, and notes about the draw.

        Raises:
            DataError: A class has one image only, and is to be tested.
        """
        chosen = test if self.test is None else self.test
        counts = np.bincount(labels, minlength=len(class_names))
        if chosen is not None:
            _expect_two(counts, class_names, where)
        members = draw_splits(labels, chosen, self.val, data_seed)
        return members, tuple(self._notes(members, labels, class_names, chosen))

    def _notes(
        self,
        members: Mapping[str, NDArray[np.int64]],
        labels: NDArray[np.int64],
        class_names: Sequence[str],
        test: float | None,
    ) -> Iterable[str]:
        if test is not None and self.test is None:
            yield (
                f"no test split: {len(members['test']):,} of {len(labels):,} images were drawn for "
                f"it, dataset.test={test} of each class, by the data seed"
            )
        for split, amount in (("test", test), ("val", self.val)):
            if not isinstance(amount, int):
                continue
            drawn = np.bincount(labels[members.get(split, ())], minlength=len(class_names))
            short = np.flatnonzero(drawn < amount)
            if len(short):
                yield (
                    f"{len(short):,} of {len(class_names):,} classes are too small for "
                    f"dataset.{split}={amount}, and give fewer images: "
                    f"{listed(class_names, short)}"
                )


def listed(class_names: Sequence[str], classes: NDArray[np.int64]) -> str:
    """Returns the names of classes, of many the first ones."""
    shown = ", ".join(class_names[label] for label in classes[:_MAX_SHOWN_CLASSES])
    return shown + (", ..." if len(classes) > _MAX_SHOWN_CLASSES else "")


def _expect_two(counts: NDArray[np.int64], class_names: Sequence[str], where: str) -> None:
    alone = np.flatnonzero(counts == 1)
    if len(alone):
        what = "1 class has" if len(alone) == 1 else f"{len(alone):,} classes have"
        raise DataError(
            f"{where}: {what} one image, which cannot be for training and for testing: "
            f"{listed(class_names, alone)}",
            hint="add images or leave these classes out; `ltbench data new` writes a list in which "
            "they are for training alone",
        )
