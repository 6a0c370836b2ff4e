"""MixUp: each image is blended with another, and shows both classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from ltbench import AugmentationSpec, BuildContext, option
from ltbench.protocols import Targets
from ltbench.views import Views
from ltbench_plugins.augmentations.standard import Standard

if TYPE_CHECKING:
    from torch import Tensor


_CROP = Standard()


@dataclass(frozen=True)
class MixupConfig:
    """Options of MixUp."""

    alpha: Annotated[float, Gt(0)] = option(0.2, "the share of an image is drawn from Beta(a, a)")


@dataclass(frozen=True)
class Mixup:
    """l x + (1 - l) x' after the standard augmentation; l ~ Beta(alpha, alpha), one for a batch.

    The partner x' of an image is the one as far from the end of the batch as it is from the
    beginning: batches are drawn at random. The loss is l loss(y) + (1 - l) loss(y').
    """

    alpha: float
    draws: int = _CROP.draws + 1

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns the views of the standard augmentation."""
        return _CROP.views(sizes, uniforms[:, :-1], progress)

    def change(
        self, images: Tensor, labels: Tensor, uniforms: NDArray[np.float64]
    ) -> tuple[Tensor, Targets]:
        """Blends the images, (B, 3, R, R)."""
        share = beta_share(uniforms, self.alpha)
        pixels = images.float()
        return pixels.lerp(pixels.flip(0), 1 - share), Targets(labels, labels.flip(0), share)


def beta_share(uniforms: NDArray[np.float64], alpha: float) -> float:
    """Returns a number drawn from Beta(alpha, alpha), made of the batch's first uniform number."""
    from scipy.special import betaincinv

    return float(betaincinv(alpha, alpha, uniforms[0, -1]))


def build(config: MixupConfig, ctx: BuildContext) -> Mixup:
    """Builds the augmentation."""
    return Mixup(config.alpha)


MIXUP = AugmentationSpec(
    name="mixup",
    summary="standard, and each image blended with another",
    config=MixupConfig,
    build=build,
    reference="arXiv:1710.09412",
)
