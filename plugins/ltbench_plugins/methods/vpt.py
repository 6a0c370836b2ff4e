"""VPT: learned prompt tokens beside those of the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, MethodSpec, option
from ltbench_plugins.methods.options import BlocksConfig, Size
from ltbench_plugins.methods.recipes import recipe
from ltbench_plugins.methods.sizes import automatic_size

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class VptConfig(BlocksConfig):
    """Options of visual prompt tuning."""

    deep: bool = option(True, "prompts of its own in each block; else one set, from the first on")
    length: Size | None = option(
        None,
        "prompts in a block; none: 2^floor(log2(K / L)), at least 1, for prompts in L blocks: "
        "shallow in one",
    )


@dataclass(frozen=True)
class PromptTuning:
    """Tokens [class; prompts; patches] in the blocks, without the prompts after them.

    New weights: prompts (length, width), N(0, 0.02). Deep: for each chosen block, which alone sees
    them. Shallow: once, before the first chosen block; they go through all that follow.
    """

    num_classes: int
    config: VptConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the prompts and returns them.

        Raises:
            NothingMatchedError: The blocks take no additional tokens.
        """
        from ltbench_plugins.modules.prompts import Prompts, expect_more_tokens

        blocks = backbone.select(self.config.layers)
        deep = [(block,) for block in blocks]
        first = backbone.blocks.index(blocks[0])
        spans = deep if self.config.deep else [backbone.blocks[first:]]
        length = self.config.length or automatic_size(self.num_classes / len(spans))
        prompts = [p for span in spans for p in Prompts(blocks[0].width, length).attach(span)]
        expect_more_tokens(backbone)
        return prompts


def build(config: VptConfig, ctx: BuildContext) -> PromptTuning:
    """Builds the method."""
    return PromptTuning(ctx.num_classes, config)


VPT = MethodSpec(
    name="vpt",
    summary="learned prompt tokens in each block, or from the first on",
    config=VptConfig,
    build=build,
    reference="arXiv:2203.12119",
    token_wise=True,
    recipe=recipe(),
    version=2,
    identity_at_start=False,
    examples=({}, {"deep": False}),
)
