"""Checks of the objects that components build, before a run begins."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ltbench.config.resolve import Resolved
from ltbench.registry.attribution import attribute_errors


@torch.no_grad()
def try_out(
    kind: str, resolved: Resolved, module: nn.Module, given: Tensor, shape: tuple[int, ...]
) -> Tensor:
    """Runs a module once and checks what it returns.

    Raises:
        PluginError: The output is not a floating-point tensor of this shape.
    """
    with attribute_errors(resolved.components[kind]):
        made: Tensor = module.eval()(given)
    expect_tensor(kind, resolved, made, shape)
    return made


def expect_tensor(kind: str, resolved: Resolved, made: Any, shape: tuple[int, ...]) -> None:
    """Checks that a component made a floating-point tensor of a shape.

    Raises:
        PluginError: The component made something else.
    """
    component = resolved.components[kind]
    if not isinstance(made, Tensor) or not made.is_floating_point() or made.shape != shape:
        found = f"{made.dtype} {tuple(made.shape)}" if isinstance(made, Tensor) else type(made)
        raise component.contract_error(f"made {found}, not floating-point numbers of shape {shape}")
