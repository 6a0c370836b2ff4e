"""Test-time ensembling over random views, mean of the logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

from ltbench import BuildContext, InferenceSpec, option
from ltbench.views import Views
from ltbench_plugins.augmentations.randaugment import RandAugment, RandAugmentConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class RandAugTteConfig:
    """Options of test-time ensembling over random views."""

    views: Annotated[int, Gt(0), Le(256)] = option(5, "number of random views of an image")
    operations: Annotated[int, Ge(0), Le(16)] = option(
        0, "operations of RandAugment on each view; 0: crop and flip alone, as LIFT's code"
    )
    magnitude: Annotated[int, Ge(0), Le(30)] = option(9, "strength of all operations, up to 30")


class RandAugTte:
    """Views of the augmentation `randaugment`, V of each image; there is no centre view.

    The published code's mode of this name draws random crops and flips without any operation of
    RandAugment, anew in every evaluation. Here, the views of an image are the same in every
    evaluation and run.
    """

    def __init__(self, config: RandAugTteConfig) -> None:
        self.augmentation = RandAugment(RandAugmentConfig(config.operations, config.magnitude))
        self.count = config.views
        self.draws = self.count * self.augmentation.draws

    def views(self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64]) -> Views:
        """Returns V views of each image."""
        import numpy as np

        repeated = np.repeat(sizes, self.count, axis=0)
        views = self.augmentation.views(repeated, self._of_views(uniforms), 0.0)
        assert views.flips is not None
        boxes = views.boxes.reshape(len(sizes), self.count, 4)
        return Views(boxes, views.flips.reshape(len(sizes), self.count), views.crop_first)

    def change(self, views: Tensor, uniforms: NDArray[np.float64]) -> Tensor:
        """Returns the views after the operations of each, (B, V, 3, R, R)."""
        changed = self.augmentation.operate(views.flatten(0, 1), self._of_views(uniforms))
        return changed.view_as(views)

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns the mean logits of the views."""
        return logits.mean(dim=1)

    def _of_views(self, uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the random numbers of each view, (N V, draws of a view)."""
        return uniforms.reshape(-1, self.augmentation.draws)


def build(config: RandAugTteConfig, ctx: BuildContext) -> RandAugTte:
    """Builds the inference."""
    return RandAugTte(config)


RANDAUG_TTE = InferenceSpec(
    name="randaug_tte",
    summary="random crops, with RandAugment where asked, mean of the logits",
    config=RandAugTteConfig,
    build=build,
    libraries=("torchvision.transforms.v2",),
    reference="arXiv:2309.10019",
    examples=({}, {"views": 3, "operations": 2}),
)
