"""Effective-number sampling: images by the inverse effective number of their class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Lt

from ltbench import BuildContext, SamplingSpec, option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class EffectiveNumberConfig:
    """Options of effective-number sampling."""

    beta: Annotated[float, Ge(0), Lt(1)] = option(
        0.9999, "balance: 0 is instance-balanced, near 1 class-balanced"
    )


@dataclass(frozen=True)
class EffectiveNumber:
    """Class k is drawn with p_k proportional to n_k / E_k, E_k = (1 - beta^n_k) / (1 - beta).

    The class-balanced weights 1 / E_k of Cui et al. (CVPR 2019), applied to the images by sampling
    instead of in the loss.
    """

    class_counts: tuple[int, ...]
    beta: float

    def weights(self) -> NDArray[np.float64]:
        """Returns n_k / E_k, (K,); 0 for a class without images."""
        import numpy as np

        counts = np.array(self.class_counts, dtype=np.float64)
        effective = (1 - self.beta ** np.maximum(counts, 1)) / (1 - self.beta)
        return counts / effective


def build(config: EffectiveNumberConfig, ctx: BuildContext) -> EffectiveNumber:
    """Builds the sampling."""
    return EffectiveNumber(ctx.class_counts, config.beta)


EFFECTIVE_NUMBER = SamplingSpec(
    name="effective_number",
    summary="images by the inverse effective number of their class",
    config=EffectiveNumberConfig,
    build=build,
    reference="arXiv:1901.05555",
)
