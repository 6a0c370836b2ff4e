"""The method: its options, its recipe, and where its modules go. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from ltbench import BuildContext, Layers, MethodSpec, Recipe, option

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone, Role

# What a branch of the block takes, and where its output can be added to.
_ATTENTION: tuple[Role, Role] = ("qkv", "attn_out")
_MLP: tuple[Role, Role] = ("mlp_in", "mlp_end")


@dataclass(frozen=True)
class ConvpassConfig:
    """Options of Convpass."""

    layers: Layers = option("all", "blocks: all, the last k, or a list from 0")
    dim: Annotated[int, Gt(0), Le(65536)] = option(8, "channels of the convolution, h")
    scale: Annotated[float, Gt(0)] = option(
        1.0, "factor of what is added, s; the paper tries 0.01, 0.1, 1, 10 and 100"
    )
    beside: Literal["both", "attention"] = option(
        "both", "both: attention and MLP have a bypass; attention: Convpass-attn of the paper"
    )
    conv_init: Literal["identity", "xavier"] = option(
        "identity", "how the 3 x 3 convolution starts; both are in the paper's code"
    )
    dropout: Annotated[float, Ge(0), Lt(1)] = option(0.1, "of the channels, before `up`")


@dataclass(frozen=True)
class Convpass:
    """h' = h + MSA(x) + s C(x), with x = LN1(h), and likewise beside the MLP, in each block.

    C(x) = up(dropout(g(conv(g(down(x)))))): down (width -> dim) and up (dim -> width) are 1 x 1
    convolutions, conv is 3 x 3 with zero padding, g is QuickGELU. The patches are put back into
    their square for conv; the class token is an image of 1 x 1 by itself.

    As in the paper and its code: dim 8, dropout 0.1, down Xavier-uniform, conv the identity, up and
    all biases 0, so that nothing is added at the start; s is fixed, and chosen for each task.

    Departures:
        - Register tokens, which the paper's backbones do not have, are treated as the class token.
        - Where a block scales its attention's output (LayerScale), it scales the bypass with it:
          what can be added to is the output of the projection. The paper's backbones have none.
        - There is no stochastic depth on the bypass: the paper's code has 0.1 on the whole
          backbone, which ltbench leaves as it was pretrained.
        - It is trained as ltbench trains: SGD, not AdamW. `recipe` says what suits that.
    """

    config: ConvpassConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the bypasses and returns their parameters.

        Raises:
            NothingMatchedError: The backbone's blocks are not those of a vision transformer.
        """
        from ltbench_convpass.modules import ConvBypass

        config = self.config
        sites = {"convpass_attn": _ATTENTION}
        if config.beside == "both":
            sites["convpass_mlp"] = _MLP
        learned: list[nn.Parameter] = []
        for block in backbone.select(config.layers):
            for name, (source, target) in sites.items():
                bypass = ConvBypass(
                    block.width, config.dim, config.scale, config.conv_init, config.dropout
                )
                learned += bypass.attach(block, name, source, target)
        return learned


def build(config: ConvpassConfig, ctx: BuildContext) -> Convpass:
    """Builds the method."""
    return Convpass(config)


CONVPASS = MethodSpec(
    name="convpass",
    summary="a learned convolution over the patches beside attention and MLP of each block",
    config=ConvpassConfig,
    build=build,
    reference="arXiv:2207.07039",
    recipe=Recipe(
        settings={
            "loss": "logit_adjusted",
            "head": "cosine",
            "augmentation": "mda",
            "inference": "tte",
        }
    ),
    examples=({}, {"beside": "attention", "conv_init": "xavier", "layers": 1}),
)
