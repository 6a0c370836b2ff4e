"""Asymmetric Gaussian clouded logit loss (A-GCL) of long-tailed prompt tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from ltbench import BuildContext, LossSpec, option
from ltbench.protocols import Loss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class AgclConfig:
    """Options of A-GCL."""

    noise: Annotated[float, Ge(0)] = option(
        0.5, "size of the rarest class's cloud, as a difference of cosines"
    )
    margin: Annotated[float, Ge(0)] = option(0.1, "margin of the label, as a difference of cosines")
    positive: Annotated[float, Ge(0)] = option(
        0.0, "exponent of 1 - p for the label; larger: less weight of images that fit already"
    )
    negative: Annotated[float, Ge(0)] = option(
        4.0, "exponent of p for the other classes; larger: less weight of improbable ones"
    )
    smoothing: Annotated[float, Ge(0), Le(1)] = option(
        0.1, "share of the target spread evenly over all classes, which weights the other classes"
    )


def build(config: AgclConfig, ctx: BuildContext) -> Loss:
    """Builds -sum_k t_k m_k log p_k, the mean over the batch, with p the softmax of clouded logits.

    Clouded logits z_k - s (noise c_k |e_k| + margin [k = y]): rare classes lose a random amount in
    each image, so that their features must keep a larger distance. c_k = log(n_max / n_k) /
    log(n_max / n_min); e_k is normal with standard deviation 1/3, cut to [-1, 1]; s is the scale of
    the head. t are the smoothed targets, m_y = (1 - p_y)^positive, m_k = p_k^negative elsewhere.

    The paper has neither margin nor smoothing; without smoothing the other classes have no weight
    here. Both are those of the published code (github.com/DongSky/LPT), as are the defaults. With
    exponents and smoothing 0 it is GCL (arXiv:2305.11733).
    """
    from ltbench_plugins.modules.clouded_logits import CloudedLogits, asymmetric_cross_entropy

    clouded = CloudedLogits.of(ctx, config.noise, config.margin)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return asymmetric_cross_entropy(
            clouded(logits, labels),
            labels,
            positive=config.positive,
            negative=config.negative,
            smoothing=config.smoothing,
        ).mean()

    return loss


AGCL = LossSpec(
    name="agcl",
    summary="cross entropy of logits with random margins, larger for rare classes",
    config=AgclConfig,
    build=build,
    reference="arXiv:2210.01033",
    examples=({}, {"positive": 0.5, "negative": 8.0}),
)
