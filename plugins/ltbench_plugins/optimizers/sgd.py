"""Stochastic gradient descent with momentum, as in the papers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge

from ltbench import BuildContext, OptimizerSpec, option

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SgdConfig:
    """Options of SGD."""

    momentum: Annotated[float, Ge(0)] = option(0.9, "momentum; 0: none")
    weight_decay: Annotated[float, Ge(0)] = option(5e-4, "L2 weight decay")


@dataclass(frozen=True)
class Sgd:
    """v <- m v + g + wd w, w <- w - lr v, in one fused kernel."""

    config: SgdConfig

    def __call__(self, groups: list[dict[str, Any]], lr: float) -> torch.optim.Optimizer:
        """Returns the optimizer of the groups."""
        import torch

        momentum, weight_decay = self.config.momentum, self.config.weight_decay
        return torch.optim.SGD(
            groups, lr=lr, momentum=momentum, weight_decay=weight_decay, fused=True
        )


def build(config: SgdConfig, ctx: BuildContext) -> Sgd:
    """Builds the optimizer."""
    return Sgd(config)


SGD = OptimizerSpec(
    name="sgd",
    summary="stochastic gradient descent with momentum, as in the papers",
    config=SgdConfig,
    build=build,
    default=True,
    examples=({}, {"momentum": 0.0, "weight_decay": 0.0}),
)
