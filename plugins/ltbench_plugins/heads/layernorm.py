"""Layer-normalised head: logits LayerNorm(x) . w_k / norm(w_k)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import BuildContext, HeadSpec, NoOptions

if TYPE_CHECKING:
    from ltbench_plugins.modules.heads import LayerNormHead


def build(config: NoOptions, ctx: BuildContext) -> LayerNormHead:
    """Builds the head; its weight (K, width) is set by the initialisation."""
    from ltbench_plugins.modules.heads import LayerNormHead

    return LayerNormHead(ctx.num_classes, ctx.width)


LAYERNORM = HeadSpec(
    name="layernorm",
    summary="inner product of layer-normalised feature and normalised class weight",
    build=build,
    reference="arXiv:2309.10019",
)
