"""Classifier re-training: the head is learned again, with class-balanced sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from ltbench import BuildContext, RefinementSpec, option
from ltbench.errors import ConfigError
from ltbench.protocols import RefinementContext

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class CrtConfig:
    """Options of classifier re-training."""

    epochs: Annotated[int, Gt(0)] | None = option(
        None, "number of epochs of the second stage; none: that of the run"
    )
    lr: Annotated[float, Gt(0)] | None = option(
        None, "learning rate of the second stage; none: that of the run"
    )


@dataclass(frozen=True)
class Crt:
    """The head returns to its start and is learned with class-balanced sampling (cRT).

    The encoder stays as trained. The paper starts the head at random, as with `--init random`;
    otherwise it starts where the run's head started, which is much better for a foundation model.
    """

    num_classes: int
    epochs: int
    lr: float | None

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` unless the head is learned."""
        from ltbench_plugins.modules.refining import learned_in

        learned_in(head, learned, "crt")

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Learns the head again from its start."""
        import numpy as np
        import torch

        from ltbench_plugins.modules.refining import learned_in

        parameters = learned_in(head, training.learned, "crt")
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(training.start[name])
        training.fit(
            parameters.values(),
            epochs=self.epochs,
            lr=self.lr,
            sampling_weights=np.ones(self.num_classes),
        )


def build(config: CrtConfig, ctx: BuildContext) -> Crt:
    """Builds the refinement."""
    return Crt(ctx.num_classes, second_epochs(config, ctx), config.lr)


def second_epochs(config: CrtConfig, ctx: BuildContext) -> int:
    """Returns the number of epochs of the second stage.

    Raises:
        ConfigError: The number is 0.
    """
    epochs = ctx.epochs if config.epochs is None else config.epochs
    if epochs == 0:
        raise ConfigError(
            "refinement.epochs: expected at least 1, got the run's 0 epochs",
            hint="set refinement.epochs, or use --epochs 1 or more",
        )
    return epochs


CRT = RefinementSpec(
    name="crt",
    summary="head learned again with class-balanced sampling",
    config=CrtConfig,
    build=build,
    reference="arXiv:1910.09217",
)
