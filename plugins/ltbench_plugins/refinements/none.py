"""No refinement: the model is evaluated as it was trained."""

from __future__ import annotations

from ltbench import BuildContext, NoOptions, RefinementSpec


def build(config: NoOptions, ctx: BuildContext) -> None:
    """Builds nothing."""
    return


NONE = RefinementSpec(name="none", summary="no change after training", build=build, default=True)
