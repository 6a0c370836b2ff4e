"""Tau-normalisation: class weights of large norm are scaled down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from ltbench import BuildContext, RefinementSpec, option
from ltbench.protocols import RefinementContext

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class TauNormConfig:
    """Options of tau-normalisation."""

    tau: Annotated[float, Ge(0)] = option(
        0.7, "exponent: 0 removes only the bias, 1 makes all norms equal; choose it on --split val"
    )


@dataclass(frozen=True)
class TauNorm:
    """w_k <- w_k / |w_k|^tau, without bias: in training, norms grow with the class counts."""

    tau: float

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` unless the head learns weights whose norms matter."""
        from ltbench_plugins.modules.refining import linear_weight

        linear_weight(head, learned, "tau_norm")

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Rescales the class weights."""
        import torch

        from ltbench_plugins.modules.refining import linear_weight

        weight, bias = linear_weight(head, training.learned, "tau_norm")
        with torch.no_grad():
            norms = weight.norm(dim=1, keepdim=True).clamp(min=torch.finfo(weight.dtype).tiny)
            weight.div_(norms**self.tau)
            if bias is not None:
                bias.zero_()


def build(config: TauNormConfig, ctx: BuildContext) -> TauNorm:
    """Builds the refinement."""
    return TauNorm(config.tau)


TAU_NORM = RefinementSpec(
    name="tau_norm",
    summary="class weights divided by a power of their norm",
    config=TauNormConfig,
    build=build,
    reference="arXiv:1910.09217",
)
