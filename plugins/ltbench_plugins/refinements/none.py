"""No refinement: the model is evaluated as it was trained."""

from __future__ import annotations

from ltbench import BuildContext, NoOptions, RefinementSpec


def build(config: NoOptions, ctx: BuildContext) -> None:
    """Builds nothing."""
    return


NONE = RefinementSpec(name="none", summary="the model as it was trained", build=build, default=True)
