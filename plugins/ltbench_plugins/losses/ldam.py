"""LDAM: label-distribution-aware margins, and deferred re-weighting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from ltbench import BuildContext, LossSpec, option

if TYPE_CHECKING:
    from torch import Tensor

_DEFERRED_PROGRESS = 0.8  # share of the epochs before re-weighting begins
_BETA = 0.9999


@dataclass(frozen=True)
class LdamConfig:
    """Options of LDAM."""

    max_margin: Annotated[float, Gt(0)] = option(
        0.5, "margin of the smallest class, as a difference of cosines"
    )
    deferred: bool = option(False, "class weights in the last 20 % of the epochs (DRW)")


@dataclass
class Ldam:
    """-log softmax(z - s m_y e_y)_y: the logit of the label y is lowered by its margin.

    m_k = n_k^(-1/4), scaled so that the largest is `max_margin`; s is the scale of the head. With
    deferred re-weighting the mean over the batch has the weights (1 - b) / (1 - b^n_y), b = .9999,
    from 80 % of the epochs on.

    Args:
        margins: Margins s m_k, (K,).
        later: Class weights of the last epochs, (K,), or None.
    """

    margins: Tensor
    later: Tensor | None
    weights: Tensor | None = None

    def start_epoch(self, progress: float) -> None:
        """Sets the class weights of an epoch."""
        self.weights = self.later if progress >= _DEFERRED_PROGRESS else None

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the mean loss of a batch."""
        from torch.nn import functional as F

        label = labels[:, None]
        lowered = logits.float().scatter_add(1, label, -self.margins[label])
        return F.cross_entropy(lowered, labels, weight=self.weights)


def build(config: LdamConfig, ctx: BuildContext) -> Ldam:
    """Builds the loss."""
    from ltbench_plugins.modules.priors import effective_number_weights, relative_rarity

    margins = ctx.head_scale * config.max_margin * relative_rarity(ctx) ** 0.25
    return Ldam(margins, effective_number_weights(ctx, _BETA) if config.deferred else None)


LDAM = LossSpec(
    name="ldam",
    summary="cross entropy with a margin for the label, wider for rare classes",
    config=LdamConfig,
    build=build,
    reference="arXiv:1906.07413",
    examples=({}, {"deferred": True}),
)
