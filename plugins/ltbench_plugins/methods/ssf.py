"""SSF: features are scaled and shifted channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ltbench import BuildContext, Layers, MethodSpec
from ltbench_plugins.methods.options import BlocksConfig
from ltbench_plugins.methods.recipes import recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone, Role

ROLES: tuple[Role, ...] = ("qkv", "attn_out", "mlp_in", "mlp_out")


@dataclass(frozen=True)
class Ssf:
    """y * scale + shift, where y is the output of each of the four projections of a block.

    Where blocks have no such parts (ResNets), y is the pooled feature, whatever the layers. New
    weights: scale N(1, 0.02) and shift N(0, 0.02), as long as y. As in LIFT's code the norms are
    left out, which SSF's own paper scales and shifts too.
    """

    layers: Layers

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds scales and shifts and returns them."""
        from ltbench_plugins.modules.ssf import ScaleShift

        blocks = backbone.select(self.layers)
        if not any(block.paths for block in blocks):
            return [*ScaleShift(backbone.width).attach(backbone)]
        projections: list[Any] = [block[role] for block in blocks for role in ROLES]
        return [p for y in projections for p in ScaleShift(y.out_features).attach(y)]

    def merge(self, backbone: Backbone) -> None:
        """Scales and shifts the projections; those of pooled features have no weight to change."""
        from ltbench_plugins.modules.ssf import ScaleShift

        for block in backbone.select(self.layers):
            for role in ROLES if block.paths else ():
                added = block[role].ssf
                assert isinstance(added, ScaleShift)
                added.merge(block[role])


def build(config: BlocksConfig, ctx: BuildContext) -> Ssf:
    """Builds the method."""
    return Ssf(config.layers)


SSF = MethodSpec(
    name="ssf",
    summary="a learned scale and shift after each projection of the blocks",
    config=BlocksConfig,
    build=build,
    reference="arXiv:2210.08823",
    token_wise=True,
    recipe=recipe(),
    identity_at_start=False,
)
