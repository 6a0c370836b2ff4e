"""The classifier: a backbone and a head, and their learned parameters."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.errors import PluginError

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class Classifier(nn.Module):
    """A backbone and a head: uint8 pixels (B, 3, R, R) -> float32 logits (B, K).

    Args:
        backbone: Image encoder.
        head: Module from features (B, width) to logits (B, K).
    """

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, pixels: Tensor) -> Tensor:
        """Returns the logits (B, K) of pixels (B, 3, R, R)."""
        return self.classify(self.backbone(self.backbone.normalize(pixels)))

    def classify(self, features: Tensor) -> Tensor:
        """Returns the logits (B, K), in float32, of features (B, width)."""
        with torch.autocast(features.device.type, enabled=False):
            # The head is small, and rounding its logits would cost accuracy.
            logits: Tensor = self.head(features.float())
        return logits

    def learn_only(self, parameters: Iterable[nn.Parameter]) -> None:
        """Freezes everything but the given parameters.

        Raises:
            PluginError: A parameter is not part of the model.
        """
        self.requires_grad_(False)
        own = {id(parameter) for parameter in self.parameters()}
        for parameter in parameters:
            if id(parameter) not in own or not parameter.is_floating_point():
                raise PluginError(
                    "the method returned something that is no weight of the backbone",
                    hint="register new modules as submodules of the blocks that they work on",
                )
            parameter.requires_grad_(True)

    def learned(self) -> dict[str, nn.Parameter]:
        """Returns the learned parameters by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    @property
    def encoder_learns(self) -> bool:
        """Whether gradients go back into the encoder."""
        return any(parameter.requires_grad for parameter in self.backbone.parameters())

    def training_mode(self) -> None:
        """Switches to training; batch norms keep their running statistics, as in the papers."""
        training_mode(self)


def training_mode(model: nn.Module) -> None:
    """Switches a model to training, except for its batch norms."""
    model.train()
    for module in model.modules():
        if isinstance(module, _BATCH_NORMS):
            module.eval()
