"""Optuna's TPE sampler, which is given the earlier trials anew for each proposal.

TPE: Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011.
"""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ltbench.errors import ConfigError
from ltbench.tuning.space import Choices, Dimension, Space
from ltbench.tuning.study_file import TrialRecord

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

FAILED_SCORE = 0.0
"""Score that TPE receives for a failed trial, such as one that diverged: the worst accuracy."""


def require_optuna() -> None:
    """Checks that optuna is installed, before the first trial.

    Raises:
        ConfigError: It is not.
    """
    if importlib.util.find_spec("optuna") is None:
        raise ConfigError(
            "--sampler tpe needs optuna, which is not installed", hint="pip install 'ltbench[tune]'"
        )


def suggest(space: Space, seed: str, earlier: Sequence[TrialRecord]) -> dict[str, Any]:
    """Returns the settings that TPE suggests after some trials.

    Args:
        space: Search space of the method.
        seed: Seed of the sampler.
        earlier: Earlier trials of the method.

    Raises:
        ConfigError: optuna is not installed.
    """
    require_optuna()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    number = random.Random(seed).getrandbits(32)
    sampler = optuna.samplers.TPESampler(seed=number, n_startup_trials=1)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    distributions = {one.key: _distribution(one) for one in space.dimensions}
    for trial in earlier:
        study.add_trial(_as_optuna(trial, space, distributions))
    params = study.ask(distributions).params
    return {one.key: _from_optuna(one, params[one.key]) for one in space.dimensions}


def _distribution(dimension: Dimension) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(dimension, Choices):
        return CategoricalDistribution(range(len(dimension.values)))
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _as_optuna(
    trial: TrialRecord, space: Space, distributions: Mapping[str, BaseDistribution]
) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    params = {}
    for one in space.dimensions:
        value = trial.settings[one.key]
        params[one.key] = one.values.index(value) if isinstance(one, Choices) else value
    if trial.state == "pruned":
        return create_trial(
            state=TrialState.PRUNED,
            params=params,
            distributions=dict(distributions),
            intermediate_values=dict(enumerate(trial.scores)),
        )
    value = FAILED_SCORE if trial.value is None else trial.value
    return create_trial(params=params, distributions=dict(distributions), value=value)


def _from_optuna(dimension: Dimension, value: Any) -> Any:
    return dimension.values[value] if isinstance(dimension, Choices) else dimension.rounded(value)
