"""CutMix: a rectangle of each image is replaced by that of another, and both labels count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from ltbench import AugmentationSpec, BuildContext, option
from ltbench.protocols import Targets
from ltbench.views import Views
from ltbench_plugins.augmentations.mixup import beta_share
from ltbench_plugins.augmentations.standard import Standard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

_CROP = Standard()


@dataclass(frozen=True)
class CutmixConfig:
    """Options of CutMix."""

    alpha: Annotated[float, Gt(0)] = option(
        1.0, "parameter a of Beta(a, a), from which the share of an image is drawn"
    )


@dataclass(frozen=True)
class Cutmix:
    """A rectangle of area (1 - l) R^2 of x is that of x', after the standard augmentation.

    l ~ Beta(alpha, alpha), one for a batch, as the rectangle; its centre is uniform, it is clipped
    at the border, and l becomes the share of the pixels that stay. Partners as in MixUp.
    """

    alpha: float
    draws: int = _CROP.draws + 3

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns the views of the standard augmentation."""
        return _CROP.views(sizes, uniforms[:, :-3], progress)

    def change(
        self, images: Tensor, labels: Tensor, uniforms: NDArray[np.float64]
    ) -> tuple[Tensor, Targets]:
        """Returns the images with the rectangle pasted in, (B, 3, R, R), and their targets."""
        import numpy as np

        side = images.shape[-1]
        half = side * np.sqrt(1 - beta_share(uniforms, self.alpha)) / 2
        center = uniforms[0, -3:-1] * side
        low = np.round(np.clip(center - half, 0, side)).astype(int)
        high = np.round(np.clip(center + half, 0, side)).astype(int)
        rows, columns = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        mixed = images.clone()
        mixed[:, :, rows, columns] = images.flip(0)[:, :, rows, columns]
        share = 1 - float(np.prod(high - low)) / side**2
        return mixed, Targets(labels, labels.flip(0), share)


def build(config: CutmixConfig, ctx: BuildContext) -> Cutmix:
    """Builds the augmentation."""
    return Cutmix(config.alpha)


CUTMIX = AugmentationSpec(
    name="cutmix",
    summary="standard crop and flip, then a rectangle of each image replaced by another's",
    config=CutmixConfig,
    build=build,
    reference="arXiv:1905.04899",
)
