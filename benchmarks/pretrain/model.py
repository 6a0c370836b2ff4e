"""Model of ``clip_tiny`` with an attention that trains fast on a CPU, and its export."""

from __future__ import annotations

from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ltbench_plugins.backbones.clip_tiny import ARCHITECTURE, MEAN, STD


def create() -> open_clip.CLIP:
    """Builds the untrained model."""
    return open_clip.CLIP(**ARCHITECTURE)


def normalize(images: Tensor) -> Tensor:
    """Applies CLIP's normalisation to RGB images in 0..1."""
    return (images - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


class PlainAttention(nn.MultiheadAttention):
    """Self-attention by matrix products.

    The backward pass of the stock kernel is slow on a CPU at these sizes. The parameters and
    their names are inherited, so the state dict is the stock model's.
    """

    def forward(  # type: ignore[override]
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        need_weights: bool = False,
        attn_mask: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """Attends from ``query`` to itself; ``key`` and ``value`` are the same tensor."""
        batch, length, width = query.shape
        qkv = nn.functional.linear(query, self.in_proj_weight, self.in_proj_bias)
        heads = qkv.view(batch, length, 3, self.num_heads, self.head_dim)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        scores = (q * self.head_dim**-0.5) @ k.transpose(-1, -2)
        if attn_mask is not None:
            scores = scores + attn_mask
        mixed = scores.softmax(-1) @ v
        return self.out_proj(mixed.transpose(1, 2).reshape(batch, length, width)), None


def use_plain_attention(model: open_clip.CLIP) -> None:
    """Replaces the attention of every block, keeping the weights."""
    for tower in (model.visual.transformer, model.transformer):
        for block in tower.resblocks:
            plain = PlainAttention(block.attn.embed_dim, block.attn.num_heads, batch_first=True)
            plain.load_state_dict(block.attn.state_dict())
            block.attn = plain


def export(state: dict[str, Tensor], path: Path, steps: int) -> None:
    """Writes the weights as float16; an older file is replaced as a whole."""
    halves = {name: value.to(torch.float16).contiguous() for name, value in state.items()}
    metadata = {"format": "pt", "trained_by": "benchmarks/pretrain", "steps": str(steps)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    save_file(halves, partial, metadata)
    partial.chmod(0o644)  # the library makes a new file readable only for its owner
    partial.replace(path)
