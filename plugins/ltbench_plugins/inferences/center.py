"""One centre crop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, InferenceSpec, NoOptions
from ltbench.views import Views, crops_of_resized

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class Center:
    """The centre crop of the image resized to a short side of R + R // 7 (224: 256)."""

    resolution: int

    def views(self, sizes: NDArray[np.int64]) -> Views:
        """Returns one view of each image."""
        short_side = self.resolution + self.resolution // 7
        return Views(crops_of_resized(sizes, short_side, self.resolution, corners=False))

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns the logits of the single view."""
        return logits[:, 0]


def build(config: NoOptions, ctx: BuildContext) -> Center:
    """Builds the inference."""
    return Center(ctx.resolution)


CENTER = InferenceSpec(name="center", summary="one centre crop", build=build)
