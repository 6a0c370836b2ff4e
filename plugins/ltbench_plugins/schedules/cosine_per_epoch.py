"""Half a cosine, one value for each epoch, as in the papers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from ltbench import BuildContext, ScheduleSpec, option


@dataclass(frozen=True)
class CosinePerEpochConfig:
    """Options of the cosine that changes with the epoch."""

    warmup_epochs: Annotated[int, Ge(0)] = option(0, "epochs at a constant learning rate at first")
    warmup_factor: Annotated[float, Ge(0)] = option(0.005, "factor of the learning rate in them")


@dataclass(frozen=True)
class CosinePerEpoch:
    """Factor (1 + cos(pi e / E)) / 2 in epoch e of E, from 0.

    With w warm-up epochs, e is counted from their end, and E remains the number of all epochs, as
    in the published code of CoOp.

    >>> schedule = CosinePerEpoch(CosinePerEpochConfig())
    >>> [round(0.02 * schedule(step, 1, 5), 4) for step in range(5)]
    [0.02, 0.0181, 0.0131, 0.0069, 0.0019]
    """

    config: CosinePerEpochConfig

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Returns the factor in a step."""
        epoch = step // steps_per_epoch - self.config.warmup_epochs
        if epoch < 0:
            return self.config.warmup_factor
        return (1 + math.cos(math.pi * epoch / epochs)) / 2


def build(config: CosinePerEpochConfig, ctx: BuildContext) -> CosinePerEpoch:
    """Builds the schedule."""
    return CosinePerEpoch(config)


COSINE_PER_EPOCH = ScheduleSpec(
    name="cosine_per_epoch",
    summary="half a cosine towards zero, one value for each epoch, as in the papers",
    config=CosinePerEpochConfig,
    build=build,
    default=True,
    examples=({}, {"warmup_epochs": 1}),
)
