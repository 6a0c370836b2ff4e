"""L2-normalised head: logits x . w_k / norm(w_k)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import BuildContext, HeadSpec, NoOptions

if TYPE_CHECKING:
    from ltbench_plugins.modules.heads import L2NormHead


def build(config: NoOptions, ctx: BuildContext) -> L2NormHead:
    """Builds the head; its weight (K, width) is set by the initialisation."""
    from ltbench_plugins.modules.heads import L2NormHead

    return L2NormHead(ctx.num_classes, ctx.width)


L2NORM = HeadSpec(
    name="l2norm",
    summary="inner product of feature and normalised class weight",
    build=build,
    reference="arXiv:2309.10019",
)
