"""Square-root sampling: half-way between instance-balanced and class-balanced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, NoOptions, SamplingSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class SquareRoot:
    """Class k is drawn with p_k proportional to sqrt(n_k)."""

    class_counts: tuple[int, ...]

    def weights(self) -> NDArray[np.float64]:
        """Returns the square roots of the class counts, (K,)."""
        import numpy as np

        return np.sqrt(np.array(self.class_counts, dtype=np.float64))


def build(config: NoOptions, ctx: BuildContext) -> SquareRoot:
    """Builds the sampling."""
    return SquareRoot(ctx.class_counts)


SQUARE_ROOT = SamplingSpec(
    name="square_root",
    summary="classes in proportion to the square root of their images",
    build=build,
    reference="arXiv:1805.00932",
)
