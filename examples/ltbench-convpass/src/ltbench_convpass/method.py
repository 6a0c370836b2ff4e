"""Convpass method: options, recipe, and places of its modules. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from ltbench import BuildContext, Layers, MethodSpec, Recipe, option

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone, Role

# Input of a branch of the block, and the module to whose output the bypass is added.
_ATTENTION: tuple[Role, Role] = ("qkv", "attn_out")
_MLP: tuple[Role, Role] = ("mlp_in", "mlp_end")


@dataclass(frozen=True)
class ConvpassConfig:
    """Options of Convpass."""

    layers: Layers = option("all", "adapted blocks: all, the last k, or a list from 0")
    dim: Annotated[int, Gt(0), Le(65536)] = option(8, "number of channels h of the convolution")
    scale: Annotated[float, Gt(0)] = option(
        1.0, "factor s of the bypass; the paper tries 0.01, 0.1, 1, 10 and 100"
    )
    beside: Literal["both", "attention"] = option(
        "both", "branches with a bypass: attention and MLP, or attention only (Convpass-attn)"
    )
    conv_init: Literal["identity", "xavier"] = option(
        "identity", "start of the 3 x 3 convolution; both are in the paper's code"
    )
    dropout: Annotated[float, Ge(0), Lt(1)] = option(0.1, "share of dropped channels before `up`")


@dataclass(frozen=True)
class Convpass:
    """h' = h + MSA(x) + s C(x), with x = LN1(h), and likewise beside the MLP, in each block.

    C(x) = up(dropout(g(conv(g(down(x)))))): down (width -> dim) and up (dim -> width) are 1 x 1
    convolutions, conv is 3 x 3 with zero padding, g is QuickGELU. For conv, the patches are
    arranged in their square; the class token is a 1 x 1 image of its own.

    As in the paper and its code: dim 8, dropout 0.1, down Xavier-uniform, conv the identity, up and
    all biases 0, so that the initial output is 0; s is fixed, and chosen for each task.

    Departures:
        - Register tokens, which the paper's backbones do not have, are treated as the class token.
        - If a block scales its attention's output (LayerScale), the bypass is scaled too, because
          it is added to the output of the projection. The paper's backbones have no LayerScale.
        - The bypass has no stochastic depth: the paper's code has 0.1 on the whole backbone, which
          ltbench keeps as pretrained.
        - It is trained with ltbench's SGD, not with AdamW; `recipe` has settings for SGD.
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
    summary="learned convolution over the patches beside attention and MLP of each block",
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
