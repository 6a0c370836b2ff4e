"""Prior correction at test time: the class prior of the test images is estimated by EM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Gt

from ltbench import BuildContext, InferenceSpec, option
from ltbench.views import Views
from ltbench_plugins.inferences import tte

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

_SMALLEST_PRIOR = 1e-30
"""Prior of a class that EM leaves nothing: its logits stay finite."""


@dataclass(frozen=True)
class EmPriorConfig(tte.TteConfig):
    """Options of the prior correction."""

    source: Literal["uniform", "train"] = option(
        "uniform",
        "class prior of the model's softmax: uniform after logit_adjusted and the other balanced "
        "losses, train after ce on images as they are",
    )
    max_iterations: Annotated[int, Gt(0)] = option(1000, "largest number of EM iterations")
    tolerance: Annotated[float, Gt(0)] = option(
        1e-5, "EM ends when the prior's absolute changes sum to less"
    )


@dataclass(frozen=True)
class EmPrior:
    """Mean logits of the views of TTE plus log(pi_k / pi_s,k).

    pi is the class prior of the evaluated images, estimated from their logits without labels by
    expectation maximisation (Saerens, Latinne and Decaestecker, 2002), and pi_s the prior of the
    model's softmax. The correction is transductive: an image's logits depend on the other images.

    Departures: the paper estimates pi_s by the training counts; a model trained with a balanced
    loss has a uniform one. No calibration is fitted before (as in arXiv:1901.06852). A class
    without training images counts as a class with one.
    """

    inner: tte.Tte
    config: EmPriorConfig
    source: Tensor

    def views(self, sizes: NDArray[np.int64]) -> Views:
        """Returns five views of each image."""
        return self.inner.views(sizes)

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns the mean logits of the views."""
        return self.inner.reduce(logits)

    def adjust(self, logits: Tensor) -> Tensor:
        """Returns the logits (N, K) under the class prior estimated from all of them."""
        from ltbench_plugins.modules.label_shift import estimate_prior

        source = self.source.to(logits)
        prior = estimate_prior(
            logits,
            source,
            max_iterations=self.config.max_iterations,
            tolerance=self.config.tolerance,
        )
        return logits + (prior.clamp(min=_SMALLEST_PRIOR) / source).log()


def build(config: EmPriorConfig, ctx: BuildContext) -> EmPrior:
    """Builds the inference."""
    import torch

    from ltbench_plugins.modules.priors import log_prior

    if config.source == "train":
        source = log_prior(ctx, fewest=1).exp()
    else:
        source = torch.full((ctx.num_classes,), 1 / ctx.num_classes, device=ctx.device)
    return EmPrior(tte.build(config, ctx), config, source)


EM_PRIOR = InferenceSpec(
    name="em_prior",
    summary="tte with the class prior of the test images, estimated by EM without labels",
    config=EmPriorConfig,
    build=build,
    reference="doi:10.1162/089976602753284446",
    examples=({}, {"source": "train"}),
)
