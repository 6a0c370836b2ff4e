"""Random initialisation: the class weights are random directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, InitSpec, NoOptions
from ltbench.protocols import TrainingFeatures

if TYPE_CHECKING:
    from torch import Tensor

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class Random:
    """w_k uniform on the unit sphere."""

    num_classes: int
    width: int
    seed: int

    def __call__(self, backbone: Backbone, features: TrainingFeatures) -> Tensor:
        """Returns the weight of the head, (K, width)."""
        import torch
        from torch.nn import functional as F

        generator = torch.Generator().manual_seed(self.seed)
        return F.normalize(torch.randn(self.num_classes, self.width, generator=generator), dim=-1)


def build(config: NoOptions, ctx: BuildContext) -> Random:
    """Builds the initialisation."""
    return Random(ctx.num_classes, ctx.width, ctx.seed)


RANDOM = InitSpec(name="random", summary="random unit vectors", build=build, default=True)
