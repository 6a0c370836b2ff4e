"""Shared checks and modules of refinements of the head."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ltbench.errors import ConfigError


class ClassFactors(nn.Module):
    """Learned factor for each class, which parametrizes a weight (K, width) or a bias (K,)."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(num_classes))

    def forward(self, tensor: Tensor) -> Tensor:
        """Returns the tensor with each class's part multiplied by its factor."""
        return tensor * self.factor.view(-1, *[1] * (tensor.ndim - 1))


Learned = Mapping[str, nn.Parameter]
"""Learned parameters by their names in the model."""


def learned_in(head: nn.Module, learned: Learned, refinement: str) -> dict[str, nn.Parameter]:
    """Returns the head's learned parameters by their names in the model.

    Raises:
        ConfigError: The head has no learned parameters.
    """
    own = {id(parameter) for parameter in head.parameters()}
    found = {name: p for name, p in learned.items() if id(p) in own}
    if not found:
        raise ConfigError(
            f"refinement '{refinement}' changes the head, but this method does not learn one",
            hint="choose a method that learns the head, such as full or classifier_only",
        )
    return found


def expect_learned(learned: Learned, refinement: str) -> None:
    """Checks that there are learned parameters.

    Raises:
        ConfigError: Nothing is learned.
    """
    if not learned:
        raise ConfigError(
            f"refinement '{refinement}' averages learned parameters, but this method has none",
            hint="choose a method that learns some, such as full or lift_plus",
        )


def class_weight(
    head: nn.Module, learned: Learned, refinement: str
) -> tuple[nn.Parameter, nn.Parameter | None]:
    """Returns the head's learned weight (K, width), and its bias (K,) if it has one.

    Raises:
        ConfigError: The head has no such weight, or does not learn it.
    """
    own = learned_in(head, learned, refinement).values()
    weight, bias = getattr(head, "weight", None), getattr(head, "bias", None)
    if not isinstance(weight, nn.Parameter) or not any(weight is one for one in own):
        raise ConfigError(
            f"refinement '{refinement}' changes class weights, but this head has no learned ones",
            hint="choose --head linear",
        )

    return weight, bias if isinstance(bias, nn.Parameter) else None


def linear_weight(
    head: nn.Module, learned: Learned, refinement: str
) -> tuple[nn.Parameter, nn.Parameter | None]:
    """Returns the same as `class_weight`, for a head whose logits depend on the weights' norms.

    Raises:
        ConfigError: The head normalises its weights, so scaling them has no effect.
    """
    weight, bias = class_weight(head, learned, refinement)
    tried = copy.deepcopy(head)
    with torch.no_grad():
        ramp = torch.linspace(-1, 2, weight.numel(), device=weight.device)
        probe = tried.get_parameter("weight").copy_(ramp.view_as(weight))
        features = ramp[: weight.shape[1]].square()[None]
        once = tried(features)
        probe.mul_(2)
        unchanged = torch.allclose(once, tried(features))
    if unchanged:
        raise ConfigError(
            f"refinement '{refinement}' works on the norms of the class weights, but this head "
            "normalises them",
            hint="choose --head linear",
        )
    return weight, bias
