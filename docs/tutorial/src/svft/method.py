"""Options of the method, and its change of a backbone. No torch is imported at the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import MinLen
from ltbench import BuildContext, Layers, option

if TYPE_CHECKING:
    from ltbench.backbone import Backbone
    from torch import nn

Part = Literal["qkv", "attn_out", "mlp_in", "mlp_out"]


@dataclass(frozen=True)
class Config:
    """Options. Types and ranges are checked before anything is built."""

    layers: Layers = option("all", "blocks: all, the last k, or a list from 0")
    parts: Annotated[tuple[Part, ...], MinLen(1)] = option(
        ("qkv", "attn_out", "mlp_in", "mlp_out"), "weights of a block that are changed"
    )


@dataclass(frozen=True)
class SingularValues:
    """W = U S V^T becomes U (S + D) V^T; the diagonal D is learned and starts at 0."""

    config: Config

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the diagonals and returns them; ltbench freezes the rest and trains the head."""
        from svft.modules import Diagonal

        learned = []
        for block in backbone.select(self.config.layers):
            for part in self.config.parts:
                linear: Any = block[part]  # raises if the backbone has no such part
                diagonal = Diagonal(linear.weight)
                learned.append(diagonal.attach(linear))
        return learned


def build(config: Config, ctx: BuildContext) -> SingularValues:
    """Builds the method; `ctx` has the classes, their counts, the width of the features, ..."""
    return SingularValues(config)
