"""Post-hoc logit adjustment: the training prior is subtracted from a trained model's logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, InferenceSpec, option
from ltbench.views import Views
from ltbench_plugins.inferences import tte

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class PostHocConfig(tte.TteConfig):
    """Options of post-hoc logit adjustment."""

    tau: float = option(1.0, "strength of the prior; 0 equals tte")


@dataclass(frozen=True)
class PostHoc:
    """Mean logits of the views of TTE minus tau log p, p_k = n_k / sum(n).

    For models trained without a prior, as with cross entropy: the logit-adjusted loss has accounted
    for it already. A class without training images counts as a class with one.
    """

    inner: tte.Tte
    adjustment: Tensor

    def views(self, sizes: NDArray[np.int64]) -> Views:
        """Returns five views of each image."""
        return self.inner.views(sizes)

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns the adjusted logits, (N, K)."""
        return self.inner.reduce(logits) - self.adjustment


def build(config: PostHocConfig, ctx: BuildContext) -> PostHoc:
    """Builds the inference."""
    from ltbench_plugins.modules.priors import log_prior

    return PostHoc(tte.build(config, ctx), config.tau * log_prior(ctx, fewest=1))


POST_HOC_LOGIT_ADJUSTMENT = InferenceSpec(
    name="post_hoc_logit_adjustment",
    summary="tte minus the log prior, for models trained without a prior",
    config=PostHocConfig,
    build=build,
    reference="arXiv:2007.07314",
)
