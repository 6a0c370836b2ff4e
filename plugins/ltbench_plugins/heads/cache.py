"""Cache head: zero-shot logits plus votes of similar training images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt

from ltbench import BuildContext, HeadSpec, option
from ltbench_plugins.heads.cosine import cosine_scale

if TYPE_CHECKING:
    from ltbench_plugins.modules.cache_head import CacheHead


@dataclass(frozen=True)
class CacheConfig:
    """Options of the cache head."""

    alpha: Annotated[float, Ge(0)] = option(1.0, "weight of the votes; 0 is zero-shot")
    beta: Annotated[float, Gt(0)] = option(5.5, "decay of a vote with the distance")
    per_class: Annotated[int, Gt(0)] = option(
        16, "maximum number of training images of a class in the cache, chosen at random"
    )
    scale: Annotated[float, Gt(0)] | None = option(
        None, "factor of the cosine logits; none: the backbone's own logit scale"
    )


def build(config: CacheConfig, ctx: BuildContext) -> CacheHead:
    """Builds the head; its keys are features of the training images.

    The paper averages the keys over ten augmented views of each image; here each key is computed
    from one plain view. The paper searches alpha and beta on the validation set: use --split val.
    """
    from ltbench_plugins.modules.cache_head import CacheHead

    scale = cosine_scale(config.scale, ctx)
    return CacheHead(ctx.num_classes, ctx.width, scale, config.alpha, config.beta, config.per_class)


CACHE = HeadSpec(
    name="cache",
    summary="cosine logits plus votes of similar training images (Tip-Adapter)",
    config=CacheConfig,
    build=build,
    version=2,
    reference="arXiv:2111.03930",
)
