"""Half a cosine, one value for each step, with a linear warm-up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from ltbench import BuildContext, ScheduleSpec, option


@dataclass(frozen=True)
class CosineConfig:
    """Options of the cosine that changes with the step."""

    warmup_epochs: Annotated[float, Ge(0)] = option(
        0.0, "epochs, or a part of one, in which the learning rate rises linearly"
    )


@dataclass(frozen=True)
class Cosine:
    """Factor (t + 1) / w in the w steps of the warm-up, then (1 + cos(pi (t - w) / (T - w))) / 2.

    >>> schedule = Cosine(CosineConfig(warmup_epochs=0.5))
    >>> [round(schedule(step, 4, 2), 3) for step in range(8)]
    [0.5, 1.0, 1.0, 0.933, 0.75, 0.5, 0.25, 0.067]
    """

    config: CosineConfig

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Returns the factor in a step."""
        warmup = round(self.config.warmup_epochs * steps_per_epoch)
        if step < warmup:
            return (step + 1) / warmup
        progress = (step - warmup) / (steps_per_epoch * epochs - warmup)
        return (1 + math.cos(math.pi * progress)) / 2


def build(config: CosineConfig, ctx: BuildContext) -> Cosine:
    """Builds the schedule."""
    return Cosine(config)


COSINE = ScheduleSpec(
    name="cosine",
    summary="half a cosine towards zero, one value for each step, after a linear warm-up",
    config=CosineConfig,
    build=build,
    reference="arXiv:1608.03983",
    examples=({}, {"warmup_epochs": 1.0}),
)
