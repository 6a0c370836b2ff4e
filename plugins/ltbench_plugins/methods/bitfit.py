"""BitFit: the biases of the blocks are learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, Layers, MethodSpec
from ltbench.errors import NothingMatchedError
from ltbench_plugins.methods.options import BlocksConfig
from ltbench_plugins.methods.recipes import recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class BitFit:
    """Learns every bias of the blocks: of norms and projections, in ResNets of the batch norms."""

    layers: Layers

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Returns the biases of the chosen blocks."""
        blocks = [block.module for block in backbone.select(self.layers)]
        named = [item for block in blocks for item in block.named_parameters()]
        biases = [parameter for name, parameter in named if name.endswith("bias")]
        if not biases:
            raise NothingMatchedError(
                f"the backbone's {type(blocks[0]).__name__} blocks have no biases",
                hint="take another method: adaptformer and lora add weights of their own",
            )
        return biases


def build(config: BlocksConfig, ctx: BuildContext) -> BitFit:
    """Builds the method."""
    return BitFit(config.layers)


BITFIT = MethodSpec(
    name="bitfit",
    summary="every bias of the blocks is learned",
    config=BlocksConfig,
    build=build,
    reference="arXiv:2106.10199",
    token_wise=True,
    recipe=recipe(),
)
