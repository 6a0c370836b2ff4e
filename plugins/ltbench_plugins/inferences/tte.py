"""Test-time ensembling: five crops, mean of the logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from ltbench import BuildContext, InferenceSpec, option
from ltbench.views import Views, crops_of_resized

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class TteConfig:
    """Options of test-time ensembling."""

    expand: Annotated[int, Ge(0), Le(4096)] | None = option(
        None, "pixels of the short side beyond R; none: 24, or 24 R / 224 where R < 224"
    )


@dataclass(frozen=True)
class Tte:
    """Four corner crops and the centre crop of the image resized to a short side of R + expand.

    The paper's expand is 24 at R = 224. On smaller images that would cut off half of the image, so
    the default there is 24 R / 224: a departure for backbones below 224 pixels.
    """

    resolution: int
    expand: int

    def views(self, sizes: NDArray[np.int64]) -> Views:
        """Returns five views of each image."""
        short_side = self.resolution + self.expand
        return Views(crops_of_resized(sizes, short_side, self.resolution, corners=True))

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns the mean logits of the views."""
        return logits.mean(dim=1)


def build(config: TteConfig, ctx: BuildContext) -> Tte:
    """Builds the inference."""
    automatic = round(24 * min(ctx.resolution, 224) / 224)
    return Tte(ctx.resolution, automatic if config.expand is None else config.expand)


TTE = InferenceSpec(
    name="tte",
    summary="test-time ensembling: five crops, mean of the logits",
    config=TteConfig,
    build=build,
    reference="arXiv:2309.10019",
    default=True,
)
