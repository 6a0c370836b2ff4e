"""Options that make a data set long-tailed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from ltbench import DataContext, option
from ltbench.data import Dataset, make_lt
from ltbench.errors import ConfigError


@dataclass(frozen=True)
class Construction:
    """Options of data sets that can be made long-tailed."""

    profile: Literal["none", "exponential", "pareto"] = option(
        "none", "curve of the class counts from the first class to the last; none: unchanged"
    )
    ratio: Annotated[float, Ge(1)] = option(
        100.0, "largest over smallest class count, with a profile"
    )
    largest: Annotated[int, Ge(1)] | None = option(
        None,
        "training images of the first class, with a profile; none: the smallest class count",
    )

    def __post_init__(self) -> None:
        # Without a profile these would only change the run's hash.
        if self.profile == "none" and (self.ratio != type(self).ratio or self.largest is not None):
            unused = "ratio" if self.largest is None else "largest"
            raise ConfigError(
                f"dataset.{unused}={getattr(self, unused)} has no effect with dataset.profile=none",
                hint="add --set dataset.profile=exponential, or pareto",
            )

    def of(self, dataset: Dataset, ctx: DataContext) -> Dataset:
        """Returns a data set changed according to the options.

        Raises:
            ConfigError: A class has too few images; see `ltbench.data.make_lt`.
        """
        if self.profile == "none":
            return dataset
        return make_lt(dataset, self.profile, self.ratio, ctx.data_seed, self.largest)
