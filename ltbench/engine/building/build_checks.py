"""Checks of the objects that components build, before a run begins."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ltbench.config.resolve import Resolved
from ltbench.registry.attribution import attribute_errors

_Built = TypeVar("_Built")


def build(kind: str, expected: type[_Built], resolved: Resolved, context: Any) -> _Built:
    """Builds a component and checks the type of what it built.

    Raises:
        PluginError: The object is of another type, or could not be built.
    """
    built = resolved.build(kind, context)
    if not isinstance(built, expected):
        fault = f"built a {type(built).__name__}, not a {expected.__name__}"
        raise resolved.components[kind].contract_error(fault)
    return built


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
