"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Gt, Lt

from ltbench import BuildContext, OptimizerSpec, option

if TYPE_CHECKING:
    import torch

Beta = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True)
class AdamWConfig:
    """Options of AdamW: the defaults are those of torch."""

    betas: tuple[Beta, Beta] = option((0.9, 0.999), "decay rates of the two moments")
    eps: Annotated[float, Gt(0)] = option(1e-8, "added to the root of the second moment")
    weight_decay: Annotated[float, Ge(0)] = option(0.01, "decoupled weight decay")


@dataclass(frozen=True)
class AdamW:
    """Adam whose weight decay is no part of the gradient, in one fused kernel."""

    config: AdamWConfig

    def __call__(self, groups: list[dict[str, Any]], lr: float) -> torch.optim.Optimizer:
        """Returns the optimizer of the groups."""
        import torch

        return torch.optim.AdamW(
            groups,
            lr=lr,
            betas=self.config.betas,
            eps=self.config.eps,
            weight_decay=self.config.weight_decay,
            fused=True,
        )


def build(config: AdamWConfig, ctx: BuildContext) -> AdamW:
    """Builds the optimizer."""
    return AdamW(config)


ADAMW = OptimizerSpec(
    name="adamw",
    summary="Adam with decoupled weight decay",
    config=AdamWConfig,
    build=build,
    reference="arXiv:1711.05101",
)
