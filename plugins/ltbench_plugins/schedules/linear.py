"""A straight line towards zero, one value for each step."""

from __future__ import annotations

from ltbench import BuildContext, NoOptions, ScheduleSpec


class Linear:
    """Factor 1 - t / T in step t of T, from 0.

    >>> [Linear()(step, 2, 2) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Returns the factor in a step."""
        return 1 - step / (steps_per_epoch * epochs)


def build(config: NoOptions, ctx: BuildContext) -> Linear:
    """Builds the schedule."""
    return Linear()


LINEAR = ScheduleSpec(
    name="linear",
    summary="a straight line towards zero, one value for each step",
    build=build,
)
