"""A learning rate that stays as it is."""

from __future__ import annotations

from ltbench import BuildContext, NoOptions, ScheduleSpec


class Constant:
    """Factor 1 in every step."""

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Returns the factor in a step."""
        return 1.0


def build(config: NoOptions, ctx: BuildContext) -> Constant:
    """Builds the schedule."""
    return Constant()


CONSTANT = ScheduleSpec(
    name="constant",
    summary="the same learning rate in every step",
    build=build,
)
