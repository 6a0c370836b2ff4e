"""Generalised logit adjustment: a learned and a debiased zero-shot classifier, added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from ltbench import BuildContext, HeadSpec, option
from ltbench_plugins.heads.cosine import cosine_scale

if TYPE_CHECKING:
    from ltbench_plugins.modules.gla_head import GlaHead


@dataclass(frozen=True)
class GlaConfig:
    """Options of the head."""

    scale: Annotated[float, Gt(0)] = option(25.0, "factor of the learned classifier's cosines")
    per_class: Annotated[int, Gt(0)] = option(
        100, "maximum number of training images of a class in the estimate of the label bias"
    )


def build(config: GlaConfig, ctx: BuildContext) -> GlaHead:
    """Builds the head; its text features are the initialisation `semantic`.

    The zero-shot classifier has the backbone's own logit scale. With a method that changes the
    encoder, the zero-shot classifier reads changed features, which is not the paper's: method gla
    keeps the encoder.
    """
    from ltbench_plugins.modules.gla_head import GlaHead

    text_scale = cosine_scale(None, ctx)
    return GlaHead(ctx.num_classes, ctx.width, config.scale, text_scale, config.per_class)


GLA = HeadSpec(
    name="gla",
    summary="cosine logits plus those of the zero-shot classifier without its label bias",
    config=GlaConfig,
    build=build,
    reference="arXiv:2310.08106",
)
