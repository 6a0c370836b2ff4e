"""Instance-balanced sampling: every image once per epoch."""

from __future__ import annotations

from ltbench import BuildContext, NoOptions, SamplingSpec


class InstanceBalanced:
    """Each class is drawn as often as it has images."""

    def weights(self) -> None:
        """Returns None, for every image once."""
        return


def build(config: NoOptions, ctx: BuildContext) -> InstanceBalanced:
    """Builds the sampling."""
    return InstanceBalanced()


INSTANCE_BALANCED = SamplingSpec(
    name="instance_balanced", summary="every image once per epoch", build=build, default=True
)
