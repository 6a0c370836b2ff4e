"""Linear head: logits w_k . x + b_k."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import BuildContext, HeadSpec, NoOptions

if TYPE_CHECKING:
    from ltbench_plugins.modules.heads import LinearHead


def build(config: NoOptions, ctx: BuildContext) -> LinearHead:
    """Builds the head; its weight (K, width) is set by the initialisation."""
    from ltbench_plugins.modules.heads import LinearHead

    return LinearHead(ctx.num_classes, ctx.width)


LINEAR = HeadSpec(
    name="linear",
    summary="inner product of feature and class weight, plus a bias that starts at 0",
    build=build,
)
