"""Cosine head: logits s * cos(x, w_k)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from ltbench import BuildContext, HeadSpec, option
from ltbench.errors import ConfigError

if TYPE_CHECKING:
    from ltbench_plugins.modules.heads import CosineHead


@dataclass(frozen=True)
class CosineConfig:
    """Options of the cosine head."""

    scale: Annotated[float, Gt(0)] | None = option(
        25.0, "s, not learned; none: the backbone's own logit scale"
    )


def build(config: CosineConfig, ctx: BuildContext) -> CosineHead:
    """Builds the head; its weight (K, width) has no meaning before the initialisation."""
    from ltbench_plugins.modules.heads import CosineHead

    scale = ctx.logit_scale if config.scale is None else config.scale
    if scale is None:
        raise ConfigError(
            "head.scale=none asks for the backbone's logit scale, and it has none",
            hint="set head.scale to a number, or take a vision-language backbone",
        )
    return CosineHead(ctx.num_classes, ctx.width, scale)


COSINE = HeadSpec(
    name="cosine",
    summary="cosine of feature and class weight, times a fixed scale",
    config=CosineConfig,
    build=build,
    reference="arXiv:2504.13282",
    default=True,
)
