"""Compilation of a backbone's blocks by `torch.compile`, one by one.

Blocks of one class share their graphs, so that twelve blocks compile as fast as two: PyTorch's
"regional compilation". Fused kernels round differently, so a compiled run has another hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.errors import ConfigError


class FixedSizes:
    """Pads the batches of a backbone to a few sizes, because each size is compiled anew.

    The rows that are added are copies of the first one. Their features are cut off again, so that
    they have no gradient. A batch that is larger than all sizes is left as it is. The sizes do not
    depend on the batches before: a resumed run computes what it would have computed.

    Args:
        training: Images of a forward pass with gradients.
        evaluation: Images of a forward pass without, ascending.
    """

    def __init__(self, training: int, evaluation: Sequence[int]) -> None:
        self.training = training
        self.evaluation = tuple(evaluation)
        self._images = 0

    @property
    def count(self) -> int:
        """Number of sizes."""
        return 1 + len(self.evaluation)

    def register(self, backbone: nn.Module) -> None:
        """Pads the batches of all forward passes from now on."""
        backbone.register_forward_pre_hook(self.pad)
        backbone.register_forward_hook(self.cut)

    def pad(self, backbone: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Returns images (B, ...) of a pass with more rows where that is a size."""
        images, *others = inputs
        self._images = len(images)
        sizes = (self.training,) if torch.is_grad_enabled() else self.evaluation
        missing = next((size for size in sizes if size >= len(images)), 0) - len(images)
        if missing > 0:
            images = torch.cat([images, images[:1].expand(missing, *images.shape[1:])])
        return images, *others

    def cut(self, backbone: nn.Module, inputs: tuple[Any, ...], features: Tensor) -> Tensor:
        """Returns the features of the rows that were given."""
        return features if len(features) == self._images else features[: self._images]


class CompiledGraphs:
    """Counter of the graphs that are compiled in this process."""

    def __init__(self) -> None:
        self._known = 0

    def new(self) -> int:
        """Returns the number of graphs that were compiled since the last call."""
        from torch._dynamo.utils import counters

        known, self._known = self._known, int(counters["stats"]["unique_graphs"])
        return self._known - known


def compile_blocks(backbone: Backbone, sizes: FixedSizes) -> None:
    """Compiles each block of a backbone in place; names and weights stay as they are.

    Args:
        backbone: Encoder with its method, on its device.
        sizes: Sizes of the batches.

    Raises:
        ConfigError: The backbone has no named blocks, or nothing can be compiled here.
    """
    if not backbone.blocks:
        raise ConfigError(
            f"compile: no blocks are known in this backbone ({type(backbone.model).__name__})",
            hint="leave out compile, or choose a vision transformer or residual network",
        )
    try:
        torch.compile(torch.neg, dynamic=False)(torch.zeros(2, device=backbone.mean.device))
    except Exception as error:  # the compiler's or Triton's, of many types
        raise ConfigError(
            f"compile: torch.compile does not work here: {_cause(error)}",
            hint="install a C++ compiler such as g++, or leave out compile",
        ) from error
    allow_graphs(len(backbone.blocks) * sizes.count)
    for block in backbone.blocks:
        block.module.compile(dynamic=False)
    sizes.register(backbone)


def allow_graphs(count: int) -> None:
    """Lets PyTorch compile a number of graphs of a function, where its own limit is lower.

    It executes what exceeds the limit without compilation. In a residual network that has one class
    of blocks in many widths, the training would leave nothing of the limit for the evaluation, and
    a run that is resumed for its evaluation would round differently.

    Args:
        count: Number of graphs.
    """
    from torch._dynamo import config

    name = graph_limit()
    setattr(config, name, max(getattr(config, name), count))


def graph_limit() -> str:
    """Returns the name of PyTorch's limit, which has another one before torch 2.6."""
    from torch._dynamo import config

    return "recompile_limit" if hasattr(config, "recompile_limit") else "cache_size_limit"


def _cause(error: Exception) -> str:
    r"""Returns the line of an error of the compiler that names its cause.

    >>> _cause(RuntimeError("backend='inductor' raised:\nNo working compiler\n\nSet ..."))
    'No working compiler'

    Args:
        error: Error of `torch.compile`; the first line may name the part of it alone.
    """
    lines = [line.strip() for line in str(error).splitlines()]
    named = [line for line in lines if line and not line.endswith(" raised:")]
    return named[0] if named else type(error).__name__
