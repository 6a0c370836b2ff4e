"""MixUp: each image is blended with another, and both labels count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from ltbench import AugmentationSpec, BuildContext, option
from ltbench.protocols import Targets
from ltbench.views import Views
from ltbench_plugins.augmentations.standard import Standard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

_CROP = Standard()


@dataclass(frozen=True)
class MixupConfig:
    """Options of MixUp."""

    alpha: Annotated[float, Gt(0)] = option(
        0.2, "parameter a of Beta(a, a), from which the share of an image is drawn"
    )


@dataclass(frozen=True)
class Mixup:
    """l x + (1 - l) x' after the standard augmentation; l ~ Beta(alpha, alpha), one for a batch.

    The partner x' of the i-th image of a batch is the i-th from its end: batches are in random
    order. The loss is l loss(y) + (1 - l) loss(y').
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
        """Returns the blended images, (B, 3, R, R), and their targets."""
        share = beta_share(uniforms, self.alpha)
        pixels = images.float()
        return pixels.lerp(pixels.flip(0), 1 - share), Targets(labels, labels.flip(0), share)


def beta_share(uniforms: NDArray[np.float64], alpha: float) -> float:
    """Returns a number from Beta(alpha, alpha), computed from the batch's first uniform number."""
    from scipy.special import betaincinv

    return float(betaincinv(alpha, alpha, uniforms[0, -1]))


def build(config: MixupConfig, ctx: BuildContext) -> Mixup:
    """Builds the augmentation."""
    return Mixup(config.alpha)


MIXUP = AugmentationSpec(
    name="mixup",
    summary="standard crop and flip, then each image blended with another",
    config=MixupConfig,
    build=build,
    reference="arXiv:1710.09412",
)
