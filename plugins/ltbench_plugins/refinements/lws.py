"""Learnable weight scaling: one factor per class, learned with class-balanced sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, RefinementSpec
from ltbench.protocols import RefinementContext
from ltbench_plugins.refinements.crt import CrtConfig, second_epochs

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class Lws:
    """Logits f_k * (w_k . x + b_k): only f is learned, from 1, with class-balanced sampling (LWS).

    The factors are finally multiplied into weight and bias, so the model has no extra parts.
    """

    num_classes: int
    epochs: int
    lr: float | None

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` unless the head learns weights whose norms matter."""
        from ltbench_plugins.modules.refining import linear_weight

        linear_weight(head, learned, "lws")

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Learns the factors and multiplies them in."""
        import numpy as np
        from torch.nn.utils import parametrize

        from ltbench_plugins.modules.refining import ClassFactors, linear_weight

        weight, bias = linear_weight(head, training.learned, "lws")
        factors = ClassFactors(self.num_classes).to(weight.device)
        names = ["weight"] if bias is None else ["weight", "bias"]
        for name in names:
            parametrize.register_parametrization(head, name, factors)
        training.fit(
            factors.parameters(),
            epochs=self.epochs,
            lr=self.lr,
            sampling_weights=np.ones(self.num_classes),
        )
        for name in names:
            parametrize.remove_parametrizations(head, name)


def build(config: CrtConfig, ctx: BuildContext) -> Lws:
    """Builds the refinement."""
    return Lws(ctx.num_classes, second_epochs(config, ctx), config.lr)


LWS = RefinementSpec(
    name="lws",
    summary="learned factor for the logit of each class, class-balanced",
    config=CrtConfig,
    build=build,
    reference="arXiv:1910.09217",
)
