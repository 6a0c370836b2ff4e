"""No augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import AugmentationSpec, BuildContext, NoOptions
from ltbench.views import Views, center_square

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Plain:
    """The largest centred square, in every epoch."""

    draws: int = 0

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns the centred square of each image."""
        return Views(center_square(sizes))


def build(config: NoOptions, ctx: BuildContext) -> Plain:
    """Builds the augmentation."""
    return Plain()


NONE = AugmentationSpec(name="none", summary="largest centred square", build=build)
