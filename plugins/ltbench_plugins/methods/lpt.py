"""LPT, long-tailed prompt tuning: shared prompts, then prompts of groups of similar images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from ltbench import BuildContext, MethodSpec, option
from ltbench.errors import ConfigError
from ltbench_plugins.methods.options import Size
from ltbench_plugins.methods.recipes import recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class LptConfig:
    """Options of long-tailed prompt tuning."""

    length: Size = option(10, "shared prompts of a block, and prompts of a group in a block")
    groups: Size = option(20, "groups of prompts")
    per_image: Size = option(2, "groups of an image, whose prompts are averaged")
    shared_blocks: Annotated[int, Ge(0)] | None = option(
        None, "first blocks, with shared prompts alone; none: half of the blocks"
    )


@dataclass(frozen=True)
class LongTailedPrompts:
    """Tokens [class; group prompts; shared prompts; patches], without the prompts after a block.

    Phase 1, the training: shared prompts (length, width) in each block, N(0, 0.02), as in deep
    visual prompt tuning, and the head. Phase 2, refinement `group_prompts`: M groups, each with a
    key and prompts (length, width) in the blocks behind the first `shared_blocks`. The query of an
    image is its feature q with shared prompts alone; it takes the k groups whose keys have the
    largest cosine with q, and the mean of their prompts. Each image passes the encoder twice.

    From the published code (github.com/DongSky/LPT). Departures: prompts start as N(0, 0.02)
    without the cut at two standard deviations; no dropout of the features; the head starts from
    the run's initialisation.
    """

    config: LptConfig
    active: bool

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds all prompts and returns the shared ones: the second phase learns the others.

        Raises:
            NothingMatchedError: The blocks take no additional tokens.
            ConfigError: The options do not fit each other or the backbone.
        """
        from ltbench_plugins.modules.group_prompts import GroupMatching, GroupPrompts
        from ltbench_plugins.modules.prompts import Prompts, expect_more_tokens

        config, blocks = self.config, backbone.select("all")
        half = len(blocks) // 2
        first = half if config.shared_blocks is None else config.shared_blocks
        if first >= len(blocks):
            raise ConfigError(
                f"method.shared_blocks={first}: the backbone has {len(blocks)} blocks, and the "
                "last needs prompts of groups",
                hint=f"choose 0 to {len(blocks) - 1}, or leave method.shared_blocks out",
            )
        if config.per_image > config.groups:
            raise ConfigError(
                f"method.per_image={config.per_image}: an image cannot have more groups than "
                f"method.groups={config.groups}",
                hint=f"choose 1 to {config.groups}, or more method.groups",
            )
        width = backbone.width if backbone.projection is None else len(backbone.projection)
        shared = [
            parameter
            for block in blocks
            for parameter in Prompts(block.width, config.length).attach((block,), "lpt_shared")
        ]
        groups = [GroupPrompts(config.groups, config.length, b.width) for b in blocks[first:]]
        for block, prompts in zip(blocks[first:], groups, strict=True):
            prompts.attach(block)
        GroupMatching(width, config.per_image, groups, active=self.active).attach(backbone)
        expect_more_tokens(backbone)
        return shared


def build(config: LptConfig, ctx: BuildContext) -> LongTailedPrompts:
    """Builds the method."""
    return LongTailedPrompts(config, active=ctx.stored)


LPT = MethodSpec(
    name="lpt",
    summary="learned prompts for all images, then prompts for groups of similar images",
    config=LptConfig,
    build=build,
    reference="arXiv:2210.01033",
    token_wise=True,
    identity_at_start=False,
    fixed={"refinement": "group_prompts"},
    recipe=recipe(
        {
            "head": "cosine",
            "head.scale": 20.0,
            "loss": "agcl",
            "optimizer": "sgd",
            "schedule": "cosine_per_epoch",
            "schedule.warmup_epochs": 1,
            "train.lr": 0.01,  # 0.02 for a batch of 256
            "train.batch_size": 128,
        }
    ),
    examples=({}, {"length": 2, "groups": 3, "per_image": 1, "shared_blocks": 1}),
)
