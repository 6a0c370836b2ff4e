"""Class-balanced sampling: all classes equally often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, NoOptions, SamplingSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ClassBalanced:
    """Class k is drawn with p_k = 1 / K, over the classes that have images."""

    num_classes: int

    def weights(self) -> NDArray[np.float64]:
        """Returns the same weight for each class, (K,)."""
        import numpy as np

        return np.ones(self.num_classes)


def build(config: NoOptions, ctx: BuildContext) -> ClassBalanced:
    """Builds the sampling."""
    return ClassBalanced(ctx.num_classes)


CLASS_BALANCED = SamplingSpec(
    name="class_balanced",
    summary="all classes equally often",
    build=build,
    reference="arXiv:1910.09217",
)
