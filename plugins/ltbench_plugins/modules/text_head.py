"""Head of a learned text tower."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone
from ltbench.errors import ConfigError
from ltbench.protocols import TrainingFeatures
from ltbench_plugins.modules.linear_adapter import LinearAdapter


class TextHead(nn.Module):
    """Logits s * cos(a W x + (1 - a) x, t_k), with t_k the text feature of class k's prompt.

    The text tower is a copy of the backbone's, and is learned. W is the identity and frozen until a
    refinement learns it. Text features are computed again only after the tower has changed.

    Args:
        prompts: Prompts of the K classes.
        width: Length of a feature vector.
        scale: Factor s of the logits.
        ratio: Share a of the adapted features.
    """

    tokens: Tensor

    def __init__(self, prompts: tuple[str, ...], width: int, scale: float, ratio: float) -> None:
        super().__init__()
        self.prompts = prompts
        self.scale = scale
        self.adapter = LinearAdapter(width, ratio)
        self._known: tuple[tuple[int, ...], Tensor] | None = None

    def start(self, backbone: Backbone, features: TrainingFeatures) -> None:
        """Copies the text tower, and learns those of its weights that features depend on."""
        if backbone.text is None or not (backbone.projection is None or backbone.projected):
            raise ConfigError(
                "head 'text_tower' compares images with texts in the space that they share, and "
                "this method does not work there",
                hint="choose --method ballad, with a CLIP backbone",
            )
        self.text = copy.deepcopy(backbone.text)
        self.text.embedding = None  # a second name of weights of its encoder
        device = next(self.text.encoder.parameters()).device
        self.register_buffer("tokens", self.text.tokenize(self.prompts).to(device), False)
        weights = [p.requires_grad_(True) for p in self.text.parameters()]
        with torch.enable_grad():
            feature = self.text(self.tokens[:1]).sum()
            found = torch.autograd.grad(feature, weights, allow_unused=True)
        for weight, gradient in zip(weights, found, strict=True):
            weight.requires_grad_(gradient is not None)

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits, (B, K), of features (B, width)."""
        adapted = F.normalize(self.adapter(features), dim=-1)
        return self.scale * F.linear(adapted, self.class_features())

    def class_features(self) -> Tensor:
        """Returns the class features t, (K, joint)."""
        learned = any(weight.requires_grad for weight in self.text.parameters())
        if learned and torch.is_grad_enabled():
            # A graph serves one backward pass, and the step that follows changes the weights.
            self._known = None
            encoded: Tensor = self.text(self.tokens)
            return encoded
        versions = tuple(weight._version for weight in self.text.parameters())
        if (
            self._known is None
            or self._known[0] != versions
            or self._known[1].device != self.tokens.device
        ):
            with torch.no_grad():
                self._known = versions, self.text(self.tokens)
        return self._known[1]
