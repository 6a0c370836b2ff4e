"""Shared steps of methods that merge their trained modules into the encoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


def weight_of(module: nn.Module) -> Tensor:
    """Returns the weight of a Linear, whose values may be changed in place."""
    weight = module.weight
    assert isinstance(weight, nn.Parameter)
    return weight.data


def remove_hook(module: nn.Module, hook: Callable[..., Any]) -> None:
    """Removes a forward hook.

    Args:
        module: Module that calls the hook.
        hook: Bound method that was registered; that of a copied module is another one.
    """
    hooks = module._forward_hooks
    for number in [number for number, one in hooks.items() if one == hook]:
        del hooks[number]
