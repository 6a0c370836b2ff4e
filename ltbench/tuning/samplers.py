"""Samplers: the settings of the next trial, as a function of the seed and of the earlier trials.

They have no other state, so an interrupted search continues with the trial that it would have had.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any, Literal, get_args

from ltbench.errors import ConfigError
from ltbench.tuning.space import Range, Space, same_settings
from ltbench.tuning.study_file import TrialRecord

Sampler = Literal["grid", "random", "tpe"]
SAMPLERS: tuple[str, ...] = get_args(Sampler)

STARTUP_TRIALS = 5
"""Trials of TPE that are drawn at random, before it has a model of the scores."""

_MAX_LISTED_POINTS = 100_000
_MAX_DRAWS = 100


def expect_points(spaces: Sequence[Space], sampler: str, budget: int) -> None:
    """Checks that a sampler can draw from spaces.

    Args:
        spaces: Search spaces of the methods.
        sampler: Name of the sampler.
        budget: Trials of each method.

    Raises:
        ConfigError: All faults: a grid of an infinite space, or one larger than the budget; or
            optuna is not installed.
    """
    if sampler == "tpe":
        from ltbench.tuning.tpe import require_optuna

        require_optuna()
    faults = []
    for space in spaces if sampler == "grid" else ():
        if space.size is None:
            ranges = [
                one.key for one in space.dimensions if isinstance(one, Range) and not one.whole
            ]
            faults.append(
                f"{space.method}: a grid needs lists of values: {', '.join(ranges)} has a range"
            )
        elif space.size > budget:
            faults.append(
                f"{space.method}: its grid has {space.size:,} points: expected at most the budget "
                f"of {budget:,}"
            )
    if faults:
        hint = "raise --budget, give lists of fewer values, or use --sampler random"
        raise ConfigError.from_faults(faults, hint=hint)


def propose(
    space: Space, sampler: Sampler, seed: int, earlier: Sequence[TrialRecord]
) -> dict[str, Any] | None:
    """Returns the settings of a method's next trial; None where all points were tried.

    The first trial of `random` and `tpe` has the settings of the recipe, where the space contains
    them. Equal shares of all methods' spaces are drawn: with the default space, each method is
    tried with the same multiples of its recipe's learning rate.

    Args:
        space: Search space of the method.
        sampler: "grid" for all points in order, "random", or "tpe" for Optuna's sampler.
        seed: Seed of the draws.
        earlier: Earlier trials of the method, in their order.

    Raises:
        ConfigError: The sampler is TPE, and optuna is not installed.
    """
    tried = [trial.settings for trial in earlier]
    if sampler == "grid":
        return next(itertools.islice(space.points(), len(tried), None), None)
    if not tried and space.start is not None:
        return dict(space.start)
    if space.size is not None and len(tried) >= space.size:
        return None
    if sampler == "tpe" and len(tried) >= STARTUP_TRIALS:
        from ltbench.tuning.tpe import suggest

        for attempt in range(_MAX_DRAWS // 10):
            suggested = suggest(space, f"{seed}/{len(tried)}/{attempt}", earlier)
            if not _is_tried(suggested, tried):
                return suggested
    return _draw(space, seed, tried)


def _draw(space: Space, seed: int, tried: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Returns a random point that was not tried."""
    for attempt in range(_MAX_DRAWS):
        point = {
            one.key: one.at(random.Random(f"{seed}/{len(tried)}/{attempt}/{place}").random())
            for place, one in enumerate(space.dimensions)
        }
        if not _is_tried(point, tried):
            return point
    if space.size is None or space.size > _MAX_LISTED_POINTS:
        return None
    left = [point for point in space.points() if not _is_tried(point, tried)]
    return random.Random(f"{seed}/{len(tried)}").choice(left) if left else None


def _is_tried(point: dict[str, Any], tried: Sequence[dict[str, Any]]) -> bool:
    return any(same_settings(point, one) for one in tried)
