"""Text tower head: cosine with the text features of a learned text tower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

from ltbench import BuildContext, HeadSpec, option
from ltbench.errors import ConfigError
from ltbench_plugins.heads.cosine import cosine_scale

if TYPE_CHECKING:
    from ltbench_plugins.modules.text_head import TextHead


@dataclass(frozen=True)
class TextTowerConfig:
    """Options of the text tower head."""

    template: str = option("a photo of a {}.", "prompt; {} is the class name, '_' read as space")
    scale: Annotated[float, Gt(0)] | None = option(
        None, "factor s of the logits, not learned; none: the backbone's own logit scale"
    )
    ratio: Annotated[float, Ge(0), Le(1)] = option(
        0.2, "share of the adapted features, where refinement 'linear_adapter' learns an adapter"
    )


def build(config: TextTowerConfig, ctx: BuildContext) -> TextHead:
    """Builds the head; it starts from the backbone's text tower."""
    from ltbench_plugins.modules.text_head import TextHead

    if "{}" not in config.template:
        raise ConfigError(
            f"head.template: {config.template!r} has no {{}} for the class name",
            hint='use for example --set "head.template=a photo of a {}."',
        )
    names = [name.replace("_", " ") for name in ctx.class_names]
    prompts = tuple(config.template.replace("{}", name) for name in names)
    return TextHead(prompts, ctx.width, cosine_scale(config.scale, ctx), config.ratio)


TEXT_TOWER = HeadSpec(
    name="text_tower",
    summary="cosine with text features of a learned text tower (BALLAD)",
    config=TextTowerConfig,
    build=build,
    reference="arXiv:2111.14745",
)
