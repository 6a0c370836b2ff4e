"""Gaussian clouded logits, and the asymmetric cross entropy of long-tailed prompt tuning."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ltbench import BuildContext
from ltbench_plugins.modules.priors import relative_rarity

_STANDARD_DEVIATION = 1 / 3  # of the normal distribution that is cut at 1
_SMALLEST_MISS = 1e-7  # of 1 - p_y, whose root has no finite slope at 0


@dataclass(frozen=True)
class CloudedLogits:
    """Logits z_k - s (noise c_k |e| + margin [k = y]) for label y, with e new for each entry.

    e is a normal number of standard deviation 1/3, cut to [-1, 1]; the cloud size c_k =
    log(n_max / n_k) / log(n_max / n_min) is 1 for the rarest class and 0 for the largest.

    Args:
        sizes: s noise c_k, (K,).
        margin: s margin.
    """

    sizes: Tensor
    margin: float

    @classmethod
    def of(cls, ctx: BuildContext, noise: float, margin: float) -> CloudedLogits:
        """Returns the clouds of a run's classes, for logits with the scale s of its head.

        Args:
            ctx: Facts about the run.
            noise: Size of the largest cloud, as a difference of cosines.
            margin: Margin of the label, as a difference of cosines.
        """
        rarity = relative_rarity(ctx).log()  # log(n_min / n_k)
        spread = rarity - rarity.min()  # log(n_max / n_k)
        clouds = spread / spread.max().clamp(min=torch.finfo(spread.dtype).tiny)
        return cls(ctx.head_scale * noise * clouds, ctx.head_scale * margin)

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the clouded logits, (B, K) float32."""
        scores = logits.float()
        errors = (_STANDARD_DEVIATION * torch.randn_like(scores)).clamp(-1, 1).abs()
        label = labels[:, None]
        margins = torch.full_like(label, -self.margin, dtype=scores.dtype)
        return (scores - self.sizes * errors).scatter_add(1, label, margins)


def asymmetric_cross_entropy(
    logits: Tensor, labels: Tensor, *, positive: float, negative: float, smoothing: float
) -> Tensor:
    """Returns -sum_k t_k m_k log p_k of each image, (B,), with p = softmax(logits).

    t = (1 - smoothing) onehot(y) + smoothing / K; m_y = (1 - p_y)^positive, and m_k = p_k^negative
    for the other classes.
    """
    log_p = F.log_softmax(logits, dim=1)
    label = labels[:, None]
    missed = (-torch.expm1(log_p.gather(1, label))).clamp(min=_SMALLEST_MISS)
    focus = (negative * log_p).exp().scatter(1, label, missed**positive)
    share = smoothing / logits.shape[1]
    targets = torch.full_like(log_p, share).scatter(1, label, 1 - smoothing + share)
    return -(targets * focus * log_p).sum(dim=1)
