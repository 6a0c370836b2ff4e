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
        25.0, "factor s of the logits, not learned; none: the backbone's own logit scale"
    )


def build(config: CosineConfig, ctx: BuildContext) -> CosineHead:
    """Builds the head; its weight (K, width) is set by the initialisation."""
    from ltbench_plugins.modules.heads import CosineHead

    return CosineHead(ctx.num_classes, ctx.width, cosine_scale(config.scale, ctx))


def cosine_scale(scale: float | None, ctx: BuildContext) -> float:
    """Returns a head's scale, or the backbone's logit scale for None.

    Raises:
        ConfigError: The backbone has no logit scale.
    """
    chosen = ctx.logit_scale if scale is None else scale
    if chosen is None:
        raise ConfigError(
            "head.scale=none uses the backbone's logit scale, and this backbone has none",
            hint="set head.scale to a number, or choose a vision-language backbone",
        )
    return chosen


COSINE = HeadSpec(
    name="cosine",
    summary="cosine of feature and class weight, times a fixed scale",
    config=CosineConfig,
    build=build,
    reference="arXiv:2504.13282",
    default=True,
)
