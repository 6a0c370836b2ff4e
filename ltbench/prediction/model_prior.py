"""The class prior that the probabilities of a trained model have.

Where the softmax of the logits estimates p(y|x), which is proportional to p(x|y) p(y), the prior is
p(y). Training fits it to the frequency of the drawn images, times a factor of each class that the
loss states, such as 1 / n_k for the balanced softmax (arXiv:2007.07314, arXiv:2007.10740). An
inference may add a number to the logits of each class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ltbench.config.options import parse_options
from ltbench.config.runspec import Choice
from ltbench.contexts import BuildContext
from ltbench.engine.building.checked_components import CheckedInference
from ltbench.errors import ConfigError
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.specs import LossSpec
from ltbench.storage.result_schema import RunResult

_HINT = "leave the prior out: the probabilities are then those of the model"
_PROBES = 8  # logits on which an inference is tried
_TOLERANCE = 1e-3  # of a logit


def model_prior(
    result: RunResult, registry: Registry, context: BuildContext, inference: CheckedInference
) -> NDArray[np.float64]:
    """Returns the class prior of a model's probabilities, (K,), up to a factor.

    A class without training images counts as a class with one.

    Args:
        result: Result of the run.
        registry: Registered components.
        context: Facts that the components of the run are built from.
        inference: Inference of the predictions.

    Raises:
        ConfigError: The prior is not known: nothing was trained, a refinement has changed the
            model after the training, the loss states no prior, or the inference changes logits in
            another way than by a summand of each class.
    """
    spec = result.spec
    if not (result.training.epochs and result.learned.total):
        raise _unknown("nothing was trained")
    if result.refinement is not None:
        raise _unknown(f"refinement '{result.refinement.name}' has changed it after the training")
    counts = np.maximum(np.array(context.class_counts, np.int64), 1)
    logs = np.log(_drawn(spec.sampling, registry, context, counts))
    logs += np.log(_factors(spec.loss, registry, counts))
    logs += _summands(inference, context)
    prior: NDArray[np.float64] = np.exp(logs - logs.max())
    return prior


def _drawn(
    choice: Choice, registry: Registry, context: BuildContext, counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns the relative frequency of each class among the drawn images, (K,), all positive."""
    component, config = _configured("sampling", choice, registry)
    with attribute_errors(component):
        weights = component.spec.build(config, context).weights()
    if weights is None:
        return counts.astype(np.float64)
    frequencies = np.asarray(weights, np.float64)
    _expect_factors(frequencies, len(counts), component, "weights")
    positive = frequencies[frequencies > 0]
    drawn: NDArray[np.float64] = np.maximum(frequencies, positive.min())
    return drawn


def _factors(choice: Choice, registry: Registry, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the factor of each class that the loss states, (K,)."""
    component, config = _configured("loss", choice, registry)
    assert isinstance(component.spec, LossSpec)
    with attribute_errors(component):
        factors = component.spec.prior_factors(config, tuple(counts.tolist()))
    if factors is None:
        raise _unknown(f"loss '{choice.name}' with these options states none")
    found = np.asarray(factors, np.float64)
    _expect_factors(found, len(counts), component, "prior_factors")
    if not found.all():
        raise component.contract_error("has prior_factors of 0")
    return found


def _summands(inference: CheckedInference, context: BuildContext) -> NDArray[np.float64]:
    """Returns the number that an inference adds to each class's logits, (K,), by trying it.

    Raises:
        ConfigError: It changes logits in another way.
    """
    views = inference.num_views(context.resolution)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(_PROBES, context.num_classes, generator=generator)
    logits = torch.cat([torch.zeros(1, context.num_classes), 5 * drawn]).to(context.device)
    with torch.inference_mode():
        reduced = inference.reduce(logits[:, None].expand(-1, views, -1).contiguous())
        added = reduced.double() - logits
        same = torch.allclose(added, added[:1].expand_as(added), rtol=0, atol=_TOLERANCE)
    if not same:
        raise _unknown("the inference does more than adding a number to the logits of a class")
    summands: NDArray[np.float64] = added[0].cpu().numpy()
    return summands


def _configured(kind: str, choice: Choice, registry: Registry) -> tuple[Component, Any]:
    """Returns a component of a run with its config."""
    component = registry.find(kind, choice.name)
    values: Mapping[str, Any] = {**choice.options, **choice.paths}
    with attribute_errors(component):
        config, faults = parse_options(
            component.spec.config, values, kind, f"{kind} '{choice.name}'"
        )
    if config is None:
        raise ConfigError.from_faults(faults, hint=f"see `ltbench show {kind} {choice.name}`")
    return component, config


def _expect_factors(
    values: NDArray[np.float64], classes: int, component: Component, what: str
) -> None:
    fits = values.shape == (classes,) and np.isfinite(values).all()
    if not fits or values.min() < 0 or not values.any():
        raise component.contract_error(
            f"must have {what} of {classes} finite numbers, none negative"
        )


def _unknown(reason: str) -> ConfigError:
    return ConfigError(f"prior: the prior of this model is not known: {reason}", hint=_HINT)
