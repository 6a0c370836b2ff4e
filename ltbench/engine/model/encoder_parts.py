"""Parts of an encoder whose outputs are kept, and what computes features from these outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.engine.model.blank_images import blank_images


class EncoderPart(Protocol):
    """The first part of an encoder, from its images on."""

    @property
    def name(self) -> str:
        """Name of the outputs, in the key of the cache and in messages."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the output for one view."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """Type of the output as it is kept."""
        ...

    @property
    def modules(self) -> Iterable[nn.Module]:
        """Modules of the encoder that the outputs depend on, and maybe others."""
        ...

    def encode(self, images: Tensor) -> Tensor:
        """Returns the outputs (B, *shape) for normalised images (B, 3, R, R)."""
        ...

    def rest(self, outputs: Tensor) -> Tensor:
        """Returns the features (B, width) that the encoder computes from outputs (B, *shape)."""
        ...


@dataclass(frozen=True)
class WholeEncoder:
    """The encoder; its outputs are the features."""

    backbone: Backbone
    name: str = "features"
    dtype: torch.dtype = torch.float32

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the features of one view."""
        return (self.backbone.width,)

    @property
    def modules(self) -> Iterable[nn.Module]:
        """All modules of the encoder."""
        return self.backbone.modules()

    def encode(self, images: Tensor) -> Tensor:
        """Returns the features (B, width) of normalised images."""
        features: Tensor = self.backbone(images)
        return features

    def rest(self, outputs: Tensor) -> Tensor:
        """Returns the features themselves."""
        return outputs


@dataclass(frozen=True)
class ModelOutput:
    """The library's model, before the projection into the space shared with the text."""

    backbone: Backbone
    dtype: torch.dtype = torch.float32

    @classmethod
    def of(cls, backbone: Backbone) -> ModelOutput | None:
        """Returns this part of a backbone; None where the backbone computes in its own way."""
        return cls(backbone) if type(backbone).forward is Backbone.forward else None

    @property
    def name(self) -> str:
        """Name of the outputs: they are features, unless a hook of the backbone changes them."""
        hooked = self.backbone._forward_hooks or self.backbone._forward_pre_hooks
        return "features before hooks" if hooked else "features"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the output for one view."""
        projection = self.backbone.projection
        if not self.backbone.projected or projection is None:
            return (self.backbone.width,)
        return (projection.shape[0],)

    @property
    def modules(self) -> Iterable[nn.Module]:
        """Modules of the model."""
        return self.backbone.model.modules()

    def encode(self, images: Tensor) -> Tensor:
        """Returns the model's outputs (B, *shape) for normalised images."""
        features: Tensor = self.backbone.model(images)
        return features

    def rest(self, outputs: Tensor) -> Tensor:
        """Returns the features (B, width) for outputs of the model."""
        with _replaced_forward({self.backbone.model: lambda images: outputs}):
            features: Tensor = self.backbone(blank_images(self.backbone))
        return features


@dataclass(frozen=True)
class FrozenBlocks:
    """The encoder up to a block; its outputs are the activations that enter this block.

    The rest of the encoder is computed by the encoder itself, for one blank image: in that pass
    the blocks before return what is recorded of the blank image, and the activations of the batch
    take the place of the block's input.

    Args:
        backbone: Encoder.
        index: Index of the block, at least 1.
        recorded: Outputs of the blocks before it for one blank image.
        shape: Shape of the activations of one view.
        dtype: Type of the activations.
    """

    backbone: Backbone
    index: int
    recorded: tuple[Any, ...]
    shape: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def before(cls, backbone: Backbone, index: int) -> FrozenBlocks | None:
        """Returns the part before a block; None where the block's input is not one tensor.

        Args:
            backbone: Encoder.
            index: Index of the block, at least 1.
        """
        blocks = [block.module for block in backbone.blocks]
        found: dict[nn.Module, Any] = {}

        def record(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            found[module] = output

        hooks = [block.register_forward_hook(record) for block in blocks[:index]]
        try:
            with torch.no_grad():
                tokens = _input_of(blocks[index], backbone, blank_images(backbone))
        finally:
            for hook in hooks:
                hook.remove()
        if tokens is None or len(found) < index or tokens.shape[0] != 1:
            return None
        recorded = tuple(found[block] for block in blocks[:index])
        return cls(backbone, index, recorded, tuple(tokens.shape[1:]), tokens.dtype)

    @property
    def name(self) -> str:
        """Name of the activations."""
        return f"activations before block {self.index + 1} of {len(self.backbone.blocks)}"

    @property
    def modules(self) -> Iterable[nn.Module]:
        """Modules of the encoder without those of the block and of the blocks behind it."""
        behind = {
            id(module)
            for block in self.backbone.blocks[self.index :]
            for module in block.module.modules()
        }
        return [one for one in self.backbone.model.modules() if id(one) not in behind]

    def encode(self, images: Tensor) -> Tensor:
        """Returns the activations (B, *shape) for normalised images."""
        tokens = _input_of(self._block, self.backbone, images)
        assert tokens is not None
        return tokens

    def rest(self, outputs: Tensor) -> Tensor:
        """Returns the features (B, width) for activations (B, *shape)."""

        def enter(
            module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> tuple[tuple[Any, ...], dict[str, Any]]:
            return (outputs, *args[1:]), kwargs

        before = (block.module for block in self.backbone.blocks[: self.index])
        returned = {
            block: _returns(output) for block, output in zip(before, self.recorded, strict=True)
        }
        hook = self._block.register_forward_pre_hook(enter, prepend=True, with_kwargs=True)
        try:
            with _replaced_forward(returned):
                features: Tensor = self.backbone(blank_images(self.backbone))
        finally:
            hook.remove()
        return features

    @property
    def _block(self) -> nn.Module:
        return self.backbone.blocks[self.index].module


class _Reached(Exception):
    """Raised when a pass reaches a block, with the block's input."""

    def __init__(self, tokens: Tensor | None) -> None:
        super().__init__()
        self.tokens = tokens


def _input_of(block: nn.Module, backbone: Backbone, images: Tensor) -> Tensor | None:
    """Returns the first argument of a block, which ends the pass; None if it is no tensor."""

    def reached(module: nn.Module, args: tuple[Any, ...]) -> None:
        raise _Reached(args[0] if args and isinstance(args[0], Tensor) else None)

    # Before the method's own hooks, which may add tokens.
    hook = block.register_forward_pre_hook(reached, prepend=True)
    try:
        backbone(images)
    except _Reached as found:
        return found.tokens
    finally:
        hook.remove()
    return None


def _returns(output: Any) -> Callable[..., Any]:
    """Returns a function that returns a value whatever its arguments are."""
    return lambda *args, **kwargs: output


@contextmanager
def _replaced_forward(functions: Mapping[nn.Module, Callable[..., Any]]) -> Iterator[None]:
    """Returns a context in which modules compute other functions; their hooks stay."""
    own = {module: vars(module).get("forward") for module in functions}
    try:
        for module, function in functions.items():
            vars(module)["forward"] = function
        yield
    finally:
        for module, forward in own.items():
            if forward is None:
                vars(module).pop("forward", None)
            else:
                vars(module)["forward"] = forward
