"""Centre crops at several scales, mean of the logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le, MinLen

from ltbench import BuildContext, InferenceSpec, option
from ltbench.views import Views, crops_of_resized

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

Scale = Annotated[float, Ge(1), Le(8)]


@dataclass(frozen=True)
class MultiScaleConfig:
    """Options of the multi-scale inference."""

    scales: Annotated[tuple[Scale, ...], MinLen(1)] = option(
        (1.0, 8 / 7, 9 / 7), "short sides of the resized image, divided by R"
    )


@dataclass(frozen=True)
class MultiScale:
    """The centre crop of the image resized to a short side of round(s R), for each scale s."""

    resolution: int
    scales: tuple[float, ...]

    def views(self, sizes: NDArray[np.int64]) -> Views:
        """Returns a view of each image for each scale."""
        import numpy as np

        sides = [round(scale * self.resolution) for scale in self.scales]
        crops = [crops_of_resized(sizes, side, self.resolution, corners=False) for side in sides]
        return Views(np.concatenate(crops, axis=1))

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns the mean logits of the views."""
        return logits.mean(dim=1)


def build(config: MultiScaleConfig, ctx: BuildContext) -> MultiScale:
    """Builds the inference."""
    return MultiScale(ctx.resolution, config.scales)


MULTI_SCALE = InferenceSpec(
    name="multi_scale",
    summary="centre crops at several scales, mean of the logits",
    config=MultiScaleConfig,
    build=build,
    reference="arXiv:1409.1556",
)
