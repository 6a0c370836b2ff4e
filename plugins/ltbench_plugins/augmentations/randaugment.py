"""RandAugment: a few random operations of one strength on each image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

from ltbench import AugmentationSpec, BuildContext, option
from ltbench.protocols import Targets
from ltbench.views import Views
from ltbench_plugins.augmentations.standard import Standard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class RandAugmentConfig:
    """Options of RandAugment."""

    operations: Annotated[int, Gt(0)] = option(2, "number of operations on each image, in sequence")
    magnitude: Annotated[int, Ge(0), Le(30)] = option(9, "strength of all operations, up to 30")


class RandAugment:
    """Operations drawn uniformly from 14, after the standard augmentation.

    The operations, their strengths and the signs are those of torchvision's `RandAugment`. Images
    with the same operation and sign are changed together, without a loop over images.
    """

    def __init__(self, config: RandAugmentConfig) -> None:
        self.crop = Standard()
        self.config = config
        self.draws = self.crop.draws + config.operations

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns the views of the standard augmentation."""
        return self.crop.views(sizes, uniforms[:, : self.crop.draws], progress)

    def change(
        self, images: Tensor, labels: Tensor, uniforms: NDArray[np.float64]
    ) -> tuple[Tensor, Targets]:
        """Returns the changed images, (B, 3, R, R), and their targets."""
        return self.operate(images, uniforms), Targets(labels)

    def operate(self, images: Tensor, uniforms: NDArray[np.float64]) -> Tensor:
        """Returns the images (B, 3, R, R) after all operations on each."""
        from ltbench_plugins.modules.randaugment import apply_operations

        for chosen in uniforms[:, self.crop.draws :].T:
            images = apply_operations(images, chosen, self.config.magnitude)
        return images


def build(config: RandAugmentConfig, ctx: BuildContext) -> RandAugment:
    """Builds the augmentation."""
    return RandAugment(config)


RANDAUGMENT = AugmentationSpec(
    name="randaugment",
    summary="standard crop and flip, then two random operations on each image",
    config=RandAugmentConfig,
    build=build,
    libraries=("torchvision.transforms.v2",),
    reference="arXiv:1909.13719",
)
