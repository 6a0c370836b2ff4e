"""The loss of a batch: answers for what a plugin returns, and for mixed images."""

from __future__ import annotations

from torch import Tensor

from ltbench.errors import PluginError
from ltbench.plugins import Component
from ltbench.protocols import Loss, ScheduledLoss, Targets


class CheckedLoss:
    """A plugin's loss.

    Args:
        loss: What was built.
        component: Who built it.
    """

    def __init__(self, loss: Loss, component: Component) -> None:
        self._loss = loss
        self._component = component

    def start_epoch(self, progress: float) -> None:
        """Tells a loss that changes how far the training is: epoch / epochs."""
        if isinstance(self._loss, ScheduledLoss):
            self._loss.start_epoch(progress)

    def __call__(self, logits: Tensor, targets: Targets) -> Tensor:
        """Returns the mean loss of logits (B, K); of mixed images, that of both labels.

        Raises:
            PluginError: The loss is no scalar that gradients come from.
        """
        value = self._of(logits, targets.labels)
        if targets.partners is None:
            return value
        other = self._of(logits, targets.partners)
        return targets.share * value + (1 - targets.share) * other

    def _of(self, logits: Tensor, labels: Tensor) -> Tensor:
        value = self._loss(logits, labels)
        if not isinstance(value, Tensor) or value.ndim or not value.requires_grad:
            raise PluginError(
                f"loss '{self._component.spec.name}' of plugin {self._component.plugin} returned "
                f"{value if value is None else type(value).__name__}, not a scalar with a gradient"
            )
        return value
