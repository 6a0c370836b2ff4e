"""Five crops of TTE and their mirror images, mean of the logits."""

from __future__ import annotations

from ltbench import BuildContext, InferenceSpec
from ltbench_plugins.inferences import tte
from ltbench_plugins.inferences.mirrored import Mirrored


def build(config: tte.TteConfig, ctx: BuildContext) -> Mirrored:
    """Builds the inference."""
    return Mirrored(tte.build(config, ctx))


TEN_CROP = InferenceSpec(
    name="ten_crop",
    summary="five crops and their mirror images, mean of the logits",
    config=tte.TteConfig,
    build=build,
    reference="doi:10.1145/3065386",
)
