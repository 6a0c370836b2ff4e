"""What refinements of the head have in common."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ltbench.errors import ConfigError


class ClassFactors(nn.Module):
    """A learned factor for each class; parametrizes a weight (K, width) and a bias (K,) alike."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(num_classes))

    def forward(self, tensor: Tensor) -> Tensor:
        """Returns the tensor with each class's part multiplied by its factor."""
        return tensor * self.factor.view(-1, *[1] * (tensor.ndim - 1))


Learned = Mapping[str, nn.Parameter]
"""The learned parameters, by their names in the model."""


def learned_in(head: nn.Module, learned: Learned, refinement: str) -> dict[str, nn.Parameter]:
    """Returns the head's learned parameters by their names in the model.

    Raises:
        ConfigError: There are none.
    """
    own = {id(parameter) for parameter in head.parameters()}
    found = {name: p for name, p in learned.items() if id(p) in own}
    if not found:
        raise ConfigError(
            f"refinement '{refinement}' changes the head, and this method does not learn one",
            hint="take a method that learns the head, such as full or classifier_only",
        )
    return found


def learned_something(learned: Learned, refinement: str) -> None:
    """Does nothing.

    Raises:
        ConfigError: Nothing is learned.
    """
    if not learned:
        raise ConfigError(
            f"refinement '{refinement}' averages what is learned, and this method learns nothing",
            hint="take a method that learns something, such as full or lift_plus",
        )


def class_weight(
    head: nn.Module, learned: Learned, refinement: str
) -> tuple[nn.Parameter, nn.Parameter | None]:
    """Returns the head's learned weight (K, width), and its bias (K,) if it has one.

    Raises:
        ConfigError: The head has no such weight, or it is not learned.
    """
    own = learned_in(head, learned, refinement).values()
    weight, bias = getattr(head, "weight", None), getattr(head, "bias", None)
    if not isinstance(weight, nn.Parameter) or not any(weight is one for one in own):
        raise ConfigError(
            f"refinement '{refinement}' changes class weights, and this head has none that are "
            "learned",
            hint="take --head linear",
        )
    return weight, bias if isinstance(bias, nn.Parameter) else None


def linear_weight(
    head: nn.Module, learned: Learned, refinement: str
) -> tuple[nn.Parameter, nn.Parameter | None]:
    """Returns what `class_weight` does, of a head whose logits depend on the norms of its weights.

    Raises:
        ConfigError: The head normalises its weights, so that scaling them would do nothing.
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
            f"refinement '{refinement}' works on the norms of the class weights, and this head "
            "divides by them",
            hint="take --head linear",
        )
    return weight, bias
