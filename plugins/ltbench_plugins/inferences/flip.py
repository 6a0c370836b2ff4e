"""Centre crop and its mirror image, mean of the logits."""

from __future__ import annotations

from ltbench import BuildContext, InferenceSpec, NoOptions
from ltbench_plugins.inferences.center import Center
from ltbench_plugins.inferences.mirrored import Mirrored


def build(config: NoOptions, ctx: BuildContext) -> Mirrored:
    """Builds the inference."""
    return Mirrored(Center(ctx.resolution))


FLIP = InferenceSpec(
    name="flip", summary="centre crop and its mirror image, mean of the logits", build=build
)
