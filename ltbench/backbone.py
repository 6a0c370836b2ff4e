"""Backbone: an image encoder whose parts have the same names for every model library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.errors import ConfigError, NothingMatchedError
from ltbench.specs import Layers

Role = Literal["norm1", "qkv", "attn_out", "norm2", "mlp_in", "mlp_out", "mlp_end"]
"""The parts of a transformer block: the two norms, the fused projection to query, key and value,
the projection after attention, the two layers of the MLP, and the last module of the MLP branch,
whose output is added to the residual stream."""


class Library(StrEnum):
    """Model libraries that load an exported encoder back."""

    TIMM = auto()
    OPEN_CLIP = auto()


NameTensors = Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], dict[str, Tensor]]
"""Function from the tensors of a `Backbone` by name, and those of the library's model, to the same
tensors under the library's names."""


@dataclass(frozen=True)
class Architecture:
    """The library's model that an image encoder was made from.

    Args:
        library: Library that builds the model.
        model: Name of the model in timm, with the tag of its weights; in open_clip any text.
        config: Arguments of `timm.create_model` besides the name, or open_clip's model config.
        library_names: Function that gives the backbone's tensors the library's names. A tensor for
            which the library's model has no place keeps its own.
    """

    library: Library
    model: str
    config: Mapping[str, Any]
    library_names: NameTensors


@dataclass(frozen=True)
class Block:
    """One block of the encoder: a transformer block, or a residual block without roles.

    Args:
        module: Module of the block.
        paths: Dotted path of each role below the block.
    """

    module: nn.Module
    paths: Mapping[Role, str]

    @property
    def width(self) -> int:
        """Width of the residual stream, which is the input width of the block's MLP."""
        weight = self["mlp_in"].weight
        assert isinstance(weight, Tensor)
        return int(weight.shape[1])

    def __getitem__(self, role: Role) -> nn.Module:
        """Returns the module that plays a role.

        Raises:
            NothingMatchedError: The block has no module for this role.
        """
        return self.module.get_submodule(self._path(role))

    def replace(self, role: Role, new: nn.Module) -> None:
        """Replaces the module that plays a role."""
        parent, _, name = self._path(role).rpartition(".")
        setattr(self.module.get_submodule(parent), name, new)

    def _path(self, role: Role) -> str:
        if role not in self.paths:
            has = ", ".join(self.paths) or "none"
            raise NothingMatchedError(
                f"the backbone's {type(self.module).__name__} blocks have no {role} (roles: {has})",
                hint="choose a vision transformer for this method, or a method that needs no roles",
            )
        return self.paths[role]


class LastBlock(nn.Module):
    """A last block of which only the first token is read: it computes few of the other tokens.

    Attention reads every token, but the outputs of attention and MLP for unread tokens have no
    use. Leaving them out saves two thirds of a block.

    Attributes:
        tokens: Number of output tokens, counted from the first; None for all of them. With as few
            as 3, the matrix products of a small batch are so narrow that they round differently
            from those of a large batch.
    """

    tokens: int | None = 8


class TextTower(nn.Module):
    """Text encoder of a vision-language model.

    Args:
        encoder: Module from text tokens (N, context) to features (N, joint).
        tokenize: Function from texts to tokens (N, context).
        embedding: Submodule of the encoder from tokens to vectors (N, context, text width), where
            methods may use it.
        batch: Maximum number of texts in one forward pass.
    """

    def __init__(
        self,
        encoder: nn.Module,
        tokenize: Callable[[Sequence[str]], Tensor],
        embedding: nn.Embedding | None = None,
        batch: int = 256,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.tokenize = tokenize
        self.embedding = embedding
        self.batch = batch

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns the normalised features of tokens, (N, joint); gradients flow."""
        features = [self.encoder(part) for part in torch.split(tokens, self.batch)]
        return F.normalize(torch.cat(features).float(), dim=-1)

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Returns the normalised features of texts, (N, joint), without gradients."""
        device = next(self.encoder.parameters()).device
        encoded: Tensor = self(self.tokenize(texts).to(device))
        return encoded


class Backbone(nn.Module):
    """An image encoder: normalised images (B, 3, R, R) -> features (B, width).

    Args:
        model: Image encoder without a classifier.
        width: Length of a feature vector.
        resolution: Side R of an input image, in pixels.
        mean: Mean of the red, green and blue values that the model expects, in 0..1.
        std: Standard deviation of the same values, in 0..1.
        blocks: Blocks, first to last; empty for a family without named blocks.
        text: Text tower of a vision-language model.
        projection: Matrix (width, joint) from features to the space shared with the text; None
            where the features are in that space already, or where no such space exists.
        logit_scale: Factor of the cosine similarity between image and text.
        architecture: Library's model that the encoder was made from, for `ltbench export`; None
            where no library can load it back.
        warnings: Sentences for the run's result, such as a property of the weights that the
            model's name does not mention.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        width: int,
        resolution: int,
        mean: Sequence[float],
        std: Sequence[float],
        blocks: Sequence[Block] = (),
        text: TextTower | None = None,
        projection: Tensor | None = None,
        logit_scale: float | None = None,
        architecture: Architecture | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.model = model
        self.width = width
        self.resolution = resolution
        self.blocks = tuple(blocks)
        self.text = text
        self.logit_scale = logit_scale
        self.architecture = architecture
        self.warnings = tuple(warnings)
        self.projected = False
        self.register_buffer("mean", 255 * torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std)[:, None, None], persistent=False)
        self.mean: Tensor
        self.std: Tensor
        self.projection: nn.Parameter | None = (
            None if projection is None else nn.Parameter(projection, requires_grad=False)
        )

    def normalize(self, pixels: Tensor) -> Tensor:
        """Returns uint8 pixels (B, 3, R, R) normalised for the model, in float32."""
        return (pixels.to(torch.float32) - self.mean) / self.std

    def forward(self, images: Tensor) -> Tensor:
        """Returns the features of normalised images, (B, width)."""
        features: Tensor = self.model(images)
        if self.projected and self.projection is not None:
            features = features @ self.projection
        return features

    def project(self) -> None:
        """Switches to features in the space shared with the text."""
        if self.projection is not None and not self.projected:
            self.projected = True
            self.width = self.projection.shape[1]

    def compute_all_tokens(self) -> None:
        """Makes the last block compute its unread tokens too."""
        for module in self.modules():
            if isinstance(module, LastBlock):
                module.tokens = None

    def select(self, layers: Layers) -> tuple[Block, ...]:
        """Returns the chosen blocks, first to last.

        Raises:
            NothingMatchedError: The backbone has no named blocks.
            ConfigError: The backbone has fewer blocks than `layers` asks for.
        """
        count = len(self.blocks)
        if count == 0:
            raise NothingMatchedError(
                f"no blocks are known in this backbone ({type(self.model).__name__})",
                hint="choose classifier_only, or a vision transformer or residual network",
            )
        if layers == "all":
            return self.blocks
        chosen = range(count - layers, count) if isinstance(layers, int) else sorted(set(layers))
        if not chosen or not all(0 <= index < count for index in chosen):
            raise ConfigError(
                f"method.layers={layers} does not fit a backbone of {count} blocks",
                hint=f"choose all, the last k with k from 1 to {count}, or a list from [0, 1, ...]",
            )
        return tuple(self.blocks[index] for index in chosen)

    def num_parameters(self) -> int:
        """Returns the number of weights of the image encoder, the base of learned percentages."""
        return sum(parameter.numel() for parameter in self.model.parameters())
