"""Weight-space ensembling: interpolation of the weights before and after training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from ltbench import BuildContext, RefinementSpec, option
from ltbench.protocols import RefinementContext

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class WiseFtConfig:
    """Options of weight-space ensembling."""

    alpha: Annotated[float, Ge(0), Le(1)] = option(
        0.5, "weight of the trained parameters: 0 is before training, 1 after it"
    )


@dataclass(frozen=True)
class WiseFt:
    """theta = (1 - alpha) theta_before + alpha theta_after, for all that is learned (WiSE-FT)."""

    alpha: float

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` if the method learns nothing."""
        from ltbench_plugins.modules.refining import expect_learned

        expect_learned(learned, "wise_ft")

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Interpolates the learned parameters."""
        import torch

        with torch.no_grad():
            for name, parameter in training.learned.items():
                before = training.start[name].to(parameter.device)
                parameter.copy_(torch.lerp(before, parameter, self.alpha))


def build(config: WiseFtConfig, ctx: BuildContext) -> WiseFt:
    """Builds the refinement."""
    return WiseFt(config.alpha)


WISE_FT = RefinementSpec(
    name="wise_ft",
    summary="average of the weights before and after training",
    config=WiseFtConfig,
    build=build,
    reference="arXiv:2109.01903",
)
