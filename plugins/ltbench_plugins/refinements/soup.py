"""Model soup: the average of the weights of several trainings from one start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from ltbench import BuildContext, RefinementSpec, option
from ltbench.errors import ConfigError
from ltbench.protocols import RefinementContext

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class SoupConfig:
    """Options of the soup."""

    members: Annotated[int, Ge(2)] = option(3, "number of averaged trainings, with the run's own")


@dataclass(frozen=True)
class Soup:
    """theta = mean of theta_1, ..., theta_m: the uniform soup.

    The members differ in order and crops, not in their start: weights from different random starts
    have no meaningful average, so each member starts where the run started.
    """

    members: int

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` if the method learns nothing."""
        from ltbench_plugins.modules.refining import expect_learned

        expect_learned(learned, "soup")

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Trains the other members and averages the learned parameters."""
        import torch

        total = {name: p.detach().clone() for name, p in training.learned.items()}
        for member in range(1, self.members):
            with torch.no_grad():
                for name, parameter in training.learned.items():
                    parameter.copy_(training.start[name])
            training.fit(training.learned.values(), seed_offset=member)
            for name, parameter in training.learned.items():
                total[name] += parameter.detach()
        with torch.no_grad():
            for name, parameter in training.learned.items():
                parameter.copy_(total[name] / self.members)


def build(config: SoupConfig, ctx: BuildContext) -> Soup:
    """Builds the refinement."""
    if ctx.epochs == 0:
        raise ConfigError(
            "refinement 'soup' averages trainings, but train.epochs is 0",
            hint="choose a method that trains, and --epochs 1 or more",
        )
    return Soup(config.members)


SOUP = RefinementSpec(
    name="soup",
    summary="average of the weights of several trainings",
    config=SoupConfig,
    build=build,
    reference="arXiv:2203.05482",
)
