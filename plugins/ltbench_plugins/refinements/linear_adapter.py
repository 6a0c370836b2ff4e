"""Phase B of BALLAD: a linear adapter of the image features, learned class-balanced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, RefinementSpec
from ltbench.errors import ConfigError
from ltbench.protocols import RefinementContext
from ltbench_plugins.refinements.crt import CrtConfig, second_epochs

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone
    from ltbench_plugins.modules.linear_adapter import LinearAdapter


@dataclass(frozen=True)
class BalancedAdapter:
    """Features a W x + (1 - a) x: only W is learned, from random, with class-balanced sampling.

    The encoders of images and texts stay as trained. a is the head's `ratio`.
    """

    num_classes: int
    epochs: int
    lr: float | None
    seed: int

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` unless the head has an adapter."""
        _adapter(head)

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Learns the adapter."""
        import numpy as np

        adapter = _adapter(head)
        adapter.start(self.seed)
        training.fit(
            [adapter.weight],
            epochs=self.epochs,
            lr=self.lr,
            sampling_weights=np.ones(self.num_classes),
        )


def _adapter(head: nn.Module) -> LinearAdapter:
    from ltbench_plugins.modules.linear_adapter import LinearAdapter

    adapter = getattr(head, "adapter", None)
    if not isinstance(adapter, LinearAdapter):
        raise ConfigError(
            "refinement 'linear_adapter' needs a head with an adapter",
            hint="choose --method ballad, or --head text_tower",
        )
    return adapter


def build(config: CrtConfig, ctx: BuildContext) -> BalancedAdapter:
    """Builds the refinement."""
    return BalancedAdapter(ctx.num_classes, second_epochs(config, ctx), config.lr, ctx.seed)


LINEAR_ADAPTER = RefinementSpec(
    name="linear_adapter",
    summary="linear adapter of the features, learned with class-balanced sampling",
    config=CrtConfig,
    build=build,
    reference="arXiv:2111.14745",
)
