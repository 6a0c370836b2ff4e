"""Puts the tuners of Hugging Face's peft into a model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import peft
import torch
from torch import nn

from ltbench.errors import ConfigError, NothingMatchedError


def inject(
    model: nn.Module, tuner: str, hint: str, settings: Mapping[str, Any]
) -> list[nn.Parameter]:
    """Wraps the Linears that the settings name, and returns the parameters that are new.

    peft warns where it does something else than it was told, such as another size: an error here.

    Args:
        model: Changed in place; what it had before stays as it was.
        tuner: For messages.
        hint: Likewise.
        settings: For peft's config.

    Raises:
        ConfigError: The tuner does not fit the layers.
        NothingMatchedError: It makes nothing to learn of them.
    """
    # The default, but torch warns until it is told; shira makes sparse tensors in every step.
    torch.sparse.check_sparse_tensor_invariants.disable()
    before = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", category=UserWarning, module=r"peft\.")
            # Not inject_adapter_in_model: it refuses tuners whose layers share a tensor, as vera's.
            peft.get_peft_model(model, peft.get_peft_config(dict(settings)))
    except (NotImplementedError, TypeError, UserWarning, ValueError) as error:
        raise ConfigError(f"peft's tuner '{tuner}' does not fit: {error}", hint=hint) from error
    learned = [p for p in model.parameters() if p.requires_grad and p not in before]
    for parameter, requires_grad in before.items():
        parameter.requires_grad_(requires_grad)  # peft froze it; that is for the engine to do
    if not sum(parameter.numel() for parameter in learned):
        raise NothingMatchedError(f"peft's tuner '{tuner}' has nothing to learn", hint=hint)
    return learned
