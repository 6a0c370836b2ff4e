"""Minimalist data augmentation: square crops whose minimum size grows during training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Gt, Le

from ltbench import AugmentationSpec, BuildContext, option
from ltbench.views import Views

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Schedule = Literal["convex", "linear", "concave", "min", "max"]


@dataclass(frozen=True)
class MdaConfig:
    """Options of minimalist data augmentation."""

    scale: Annotated[float, Gt(0), Le(1)] = option(0.08, "minimum area fraction at the start")
    schedule: Schedule = option("convex", "curve of the minimum area fraction up to 1")


@dataclass(frozen=True)
class Mda:
    """A square of random area and position, without flip or change of aspect ratio.

    Of an image of A pixels whose short side is m: area uniform between min(s_t A, m^2) and m^2, the
    largest square; side round(sqrt(area)); position uniform. s_t = s + (1 - s) f(t), with t the
    progress of training. Both ends are capped before the area is drawn, as in LIFT+'s code: capping
    the area drawn from [s_t A, A] instead would make the largest square far too frequent.
    """

    scale: float
    schedule: Schedule
    draws: int = 3

    def smallest(self, progress: float) -> float:
        """Returns the minimum area fraction s_t."""
        grown = {
            "convex": 1 - math.sqrt(1 - progress**2),
            "linear": progress,
            "concave": math.sqrt(1 - (1 - progress) ** 2),
            "min": 0.0,
            "max": 1.0,
        }
        return self.scale + (1 - self.scale) * grown[self.schedule]

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns one square view of each image."""
        import numpy as np

        largest = sizes.min(axis=1) ** 2
        smallest = np.minimum(self.smallest(progress) * sizes.prod(axis=1), largest)
        area = smallest + (largest - smallest) * uniforms[:, 0]
        side = np.maximum(np.round(np.sqrt(area)), 1)[:, None]
        offset = np.floor(uniforms[:, 1:3] * (sizes - side + 1))
        return Views(np.concatenate([offset, side, side], axis=1), crop_first=True)


def build(config: MdaConfig, ctx: BuildContext) -> Mda:
    """Builds the augmentation."""
    return Mda(config.scale, config.schedule)


MDA = AugmentationSpec(
    name="mda",
    summary="minimalist: square crops that grow with the epochs, without flip",
    config=MdaConfig,
    build=build,
    reference="arXiv:2504.13282",
    default=True,
    version=2,
)
