"""What the objects that components build must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ltbench.views import Views

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ltbench.backbone import Backbone


class Method(Protocol):
    """What a `MethodSpec` builds."""

    def apply(self, backbone: Backbone) -> Sequence[nn.Parameter]:
        """Changes the backbone as the method needs and returns the parameters to learn.

        Only the engine freezes and unfreezes. New modules become submodules of the blocks that they
        work on; hooks are bound methods of a module, so that `copy.deepcopy` stays right.

        Raises:
            NothingMatchedError: The backbone has none of the modules that the method works on.
        """
        ...


class Loss(Protocol):
    """What a `LossSpec` builds."""

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the scalar mean loss of logits (B, K), in float32, and labels (B,)."""
        ...


class TrainingFeatures(Protocol):
    """The frozen backbone's features of training images, computed when asked for."""

    def __call__(self, per_class: int) -> tuple[Tensor, Tensor]:
        """Returns features (M, width) and labels (M,) of at most `per_class` images a class.

        The views are plain: resized to the resolution, centre crop.
        """
        ...


class Init(Protocol):
    """What an `InitSpec` builds."""

    def __call__(self, backbone: Backbone, features: TrainingFeatures) -> Tensor:
        """Returns the head's first weight, (K, width)."""
        ...


class Augmentation(Protocol):
    """What an `AugmentationSpec` builds.

    Attributes:
        draws: How many uniform random numbers one image takes in one epoch.
    """

    draws: int

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns one view for each image.

        Args:
            sizes: (N, 2) height and width of the images.
            uniforms: (N, draws) in [0, 1): functions of seed, epoch and image alone.
            progress: epoch / (epochs - 1), from 0 to 1; 0 where there is one epoch.

        Returns:
            Boxes (N, 4) and flips (N,).
        """
        ...


class Inference(Protocol):
    """What an `InferenceSpec` builds."""

    def views(self, sizes: NDArray[np.int64]) -> Views:
        """Returns V views of each image, boxes (N, V, 4), for sizes (N, 2) height and width."""
        ...

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns logits (N, K) from those of the views, (N, V, K)."""
        ...
