"""Head of CoOp: class features of prompts whose context is learned."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone, TextTower
from ltbench.errors import ConfigError
from ltbench.protocols import TrainingFeatures


class PromptHead(nn.Module):
    """Logits s * cos(x, t_k), with t_k the text feature of "[v_1] ... [v_M] name of class k.".

    The vectors v (M, text width) are learned and shared by all classes. They start as the token
    embeddings of the context's words, and replace these after the tower's token embedding. Text
    features are computed again only after v has changed.

    Args:
        names: Names of the K classes.
        context: Words that v starts from.
        scale: Factor s of the logits.
    """

    context: nn.Parameter
    tokens: Tensor

    def __init__(self, names: tuple[str, ...], context: str, scale: float) -> None:
        super().__init__()
        self.names = names
        self.words = context
        self.scale = scale
        self._first = 0
        self._known: tuple[int, Tensor] | None = None

    def start(self, backbone: Backbone, features: TrainingFeatures) -> None:
        """Takes over the text tower and creates the context."""
        self.text, embedding = _text_tower(backbone)
        tokenize = self.text.tokenize
        tokens = tokenize([f"{self.words} {name}." for name in self.names])
        self.register_buffer("tokens", tokens.to(embedding.weight.device), persistent=False)
        # The context is the common beginning of two prompts, without a start token.
        self._first = _first_difference(tokenize(["x", "y"]))
        last = _first_difference(tokenize([f"{self.words} x", f"{self.words} y"]))
        if last <= self._first or len(tokens.unique(dim=0)) < len(set(self.names)):
            raise ConfigError(
                f"head.context={self.words!r} leaves no room for the class names in the "
                f"{tokens.shape[1]} tokens that the text tower reads",
                hint="use fewer words",
            )
        self.context = nn.Parameter(embedding.weight[self.tokens[0, self._first : last]].clone())

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits, (B, K), of features (B, width)."""
        return self.scale * F.linear(F.normalize(features, dim=-1), self.class_features())

    def class_features(self) -> Tensor:
        """Returns the class features t, (K, joint)."""
        if torch.is_grad_enabled():  # a graph serves one backward pass, and a step follows
            self._known = None
            return self._encode()
        version = self.context._version  # counts writes outside of a step
        if (
            self._known is None
            or self._known[0] != version
            or self._known[1].device != self.context.device
        ):
            self._known = version, self._encode()
        return self._known[1]

    def _encode(self) -> Tensor:
        embedding = self.text.embedding
        assert embedding is not None
        handle = embedding.register_forward_hook(self._insert)
        try:
            encoded: Tensor = self.text(self.tokens)
        finally:
            handle.remove()
        return encoded

    def _insert(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        size = len(self.context)
        context = self.context.expand(len(output), -1, -1).to(output.dtype)
        before, after = output[:, : self._first], output[:, self._first + size :]
        return torch.cat([before, context, after], dim=1)


def _text_tower(backbone: Backbone) -> tuple[TextTower, nn.Embedding]:
    text = backbone.text
    if text is None or text.embedding is None:
        raise ConfigError(
            "head 'prompts' learns the words before the class names, and this backbone has no text "
            "tower whose token embedding is known",
            hint="choose an open_clip backbone with its own text tower, such as a CLIP",
        )
    if backbone.projection is not None and not backbone.projected:
        raise ConfigError(
            "head 'prompts' works in the space of images and texts, but this method does not",
            hint="choose --method coop",
        )
    return text, text.embedding


def _first_difference(tokens: Tensor) -> int:
    """Returns the first position where two rows differ."""
    return int((tokens[0] != tokens[1]).int().argmax())
