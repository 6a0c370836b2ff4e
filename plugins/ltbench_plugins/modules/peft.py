"""Tuners of Hugging Face's peft inside a model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import peft
import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from ltbench.errors import ConfigError, NothingMatchedError


def inject(
    model: nn.Module, tuner: str, hint: str, settings: Mapping[str, Any]
) -> list[nn.Parameter]:
    """Wraps the Linears that the settings name, and returns the new parameters.

    peft only warns if it changes a setting, such as a size: here such a warning is an error.

    Args:
        model: Model to change in place; its own parameters keep their values.
        tuner: Name of the tuner for messages.
        hint: Hint for errors.
        settings: Settings of peft's config.

    Raises:
        ConfigError: The tuner does not fit the layers.
        NothingMatchedError: The tuner adds no learned parameters.
    """
    # This is the default, but torch warns without the call; shira makes sparse tensors each step.
    torch.sparse.check_sparse_tensor_invariants.disable()
    before = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", category=UserWarning, module=r"peft\.")
            # Not inject_adapter_in_model: it refuses tuners whose layers share a tensor, like vera.
            peft.get_peft_model(model, peft.get_peft_config(dict(settings)))
    except (NotImplementedError, TypeError, UserWarning, ValueError) as error:
        raise ConfigError(f"peft's tuner '{tuner}' does not fit: {error}", hint=hint) from error
    vars(model).pop("peft_config", None)  # a model with it counts as changed before its blocks
    learned = [p for p in model.parameters() if p.requires_grad and p not in before]
    for parameter, requires_grad in before.items():
        parameter.requires_grad_(requires_grad)  # undo peft's freezing, which the engine does
    if not sum(parameter.numel() for parameter in learned):
        raise NothingMatchedError(f"peft's tuner '{tuner}' has nothing to learn", hint=hint)
    return learned


def merge(model: nn.Module) -> None:
    """Merges every tuner of a model into its Linear, where the tuner can be.

    A tuner that peft cannot merge, such as one that scales the input of its layer, stays.
    """
    for name, layer in list(model.named_modules()):
        if not isinstance(layer, BaseTunerLayer):
            continue
        try:
            layer.merge(safe_merge=True)
        except (AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError):
            continue
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, layer.get_base_layer())
