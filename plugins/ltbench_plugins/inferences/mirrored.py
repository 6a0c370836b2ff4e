"""Views of another inference together with their mirror images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench.protocols import Inference
from ltbench.views import Views

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class Mirrored:
    """The views of another inference, then the same mirrored; the mean of all logits."""

    inner: Inference

    def views(self, sizes: NDArray[np.int64]) -> Views:
        """Returns 2 V views of each image."""
        import numpy as np

        views = self.inner.views(sizes)
        boxes = np.concatenate([views.boxes, views.boxes], axis=1)
        flips = np.zeros(boxes.shape[:2], dtype=bool)
        flips[:, boxes.shape[1] // 2 :] = True
        return Views(boxes, flips, views.crop_first)

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns the mean logits of the views."""
        return logits.mean(dim=1)
