"""Prompts that an image chooses by its features, as in long-tailed prompt tuning (LPT)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone, Block

_START_DEVIATION = 0.02


class GroupPrompts(nn.Module):
    """A block's prompts of M groups, (M, length, width), N(0, 0.02) at first.

    An image gets the mean of the prompts of its groups, inserted after token 0 and dropped behind
    the block; no prompts while `chosen` is None.

    Attributes:
        chosen: Groups of the images of the batch, (B, k), or None.
    """

    chosen: Tensor | None = None

    def __init__(self, groups: int, length: int, width: int) -> None:
        super().__init__()
        self.prompt = nn.Parameter(torch.empty(groups, length, width), requires_grad=False)
        nn.init.normal_(self.prompt, std=_START_DEVIATION)

    def attach(self, block: Block) -> None:
        """Becomes a part of a block."""
        block.module.add_module("lpt_groups", self)
        block.module.register_forward_pre_hook(self._insert)
        block.module.register_forward_hook(self._drop)

    def _insert(self, module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if self.chosen is None:
            return None
        tokens, *rest = args
        prompts = self.prompt[self.chosen].mean(dim=1).to(tokens.dtype)
        self._keep_unrotated(module, prompts.shape[1])
        return (torch.cat([tokens[:, :1], prompts, tokens[:, 1:]], dim=1), *rest)

    def _drop(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor | None:
        if self.chosen is None:
            return None
        length = self.prompt.shape[1]
        self._keep_unrotated(module, -length)
        return torch.cat([output[:, :1], output[:, 1 + length :]], dim=1)

    def _keep_unrotated(self, module: nn.Module, length: int) -> None:
        """Changes the number of tokens that rotary attention does not rotate."""
        attentions: list[Any] = list(module.modules())
        for attention in attentions:
            if hasattr(attention, "num_prefix_tokens"):
                attention.num_prefix_tokens += length


class GroupMatching(nn.Module):
    """Choice of an image's k groups of M: those whose keys have the largest cosine with its query.

    The query is the encoder's feature of the image without group prompts, (B, width), and gets no
    gradient. Keys (M, width) are N(0, 0.02) at first, and learn from `take_similarity` alone.

    Args:
        width: Length of the encoder's feature before any projection.
        per_image: Number k of groups of an image.
        prompts: Prompts of the blocks.
        active: Whether groups are chosen; otherwise no group prompts are inserted.
    """

    def __init__(
        self, width: int, per_image: int, prompts: Sequence[GroupPrompts], *, active: bool
    ) -> None:
        super().__init__()
        groups = len(prompts[0].prompt)
        self.keys = nn.Parameter(torch.empty(groups, width), requires_grad=False)
        nn.init.normal_(self.keys, std=_START_DEVIATION)
        self.per_image = per_image
        self.active = active
        self._prompts = tuple(prompts)  # a tuple: they are submodules of their blocks
        self._querying = False
        self._similarity: Tensor | None = None

    def attach(self, backbone: Backbone) -> None:
        """Becomes a part of a backbone."""
        backbone.add_module("lpt", self)
        backbone.model.register_forward_pre_hook(self._choose)
        backbone.model.register_forward_hook(self._forget)

    def weights(self) -> list[nn.Parameter]:
        """Returns the keys, and the prompts of all blocks."""
        return [self.keys, *(prompts.prompt for prompts in self._prompts)]

    def take_similarity(self) -> Tensor:
        """Returns the sum of the cosines of query and chosen keys in the last batch, (B,), once."""
        similarity, self._similarity = self._similarity, None
        assert similarity is not None, "expected a forward pass with gradients before"
        return similarity

    def _choose(self, model: nn.Module, args: tuple[Any, ...]) -> None:
        if self._querying or not self.active:
            return
        with torch.no_grad():
            self._querying = True
            try:
                query = model(*args)
            finally:
                self._querying = False
        cosines = F.normalize(query.float(), dim=1) @ F.normalize(self.keys, dim=1).T
        nearest = cosines.topk(self.per_image, dim=1)
        self._similarity = nearest.values.sum(dim=1) if nearest.values.requires_grad else None
        self._set_chosen(nearest.indices)

    def _forget(self, model: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        if not self._querying:
            self._set_chosen(None)

    def _set_chosen(self, chosen: Tensor | None) -> None:
        for prompts in self._prompts:
            prompts.chosen = chosen
