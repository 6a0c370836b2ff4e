"""Last blocks of vision transformers of which only the class token is read."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ltbench.backbone import LastBlock
from ltbench_plugins.modules.attention import FusedAttention


class _PartsOfBlock(LastBlock):
    """Last block that takes over the parts of another block, under their names."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        for name, part in block.named_children():
            self.add_module(name, part)


class OpenClipLastBlock(_PartsOfBlock):
    """Last block for open_clip's `ResidualAttentionBlock`, with fused attention."""

    ln_1: nn.Module
    attn: FusedAttention
    ls_1: nn.Module
    ln_2: nn.Module
    mlp: nn.Module
    ls_2: nn.Module

    def forward(
        self, q_x: Tensor, k_x: None = None, v_x: None = None, attn_mask: Tensor | None = None
    ) -> Tensor:
        """Returns the first tokens of the block's output for `q_x` (B, N, width)."""
        normed = self.ln_1(q_x)
        attended, _ = self.attn(normed, normed, normed, attn_mask=attn_mask, tokens=self.tokens)
        x = q_x[:, : self.tokens] + self.ls_1(attended)
        out: Tensor = x + self.ls_2(self.mlp(self.ln_2(x)))
        return out


class TimmLastBlock(_PartsOfBlock):
    """Last block for timm's `Block`. All tokens are queries, because timm's attention is kept."""

    norm1: nn.Module
    attn: nn.Module
    ls1: nn.Module
    drop_path1: nn.Module
    norm2: nn.Module
    mlp: nn.Module
    ls2: nn.Module
    drop_path2: nn.Module

    def forward(
        self, x: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        """Returns the first tokens of the block's output for `x` (B, N, width)."""
        attended = self.attn(self.norm1(x), attn_mask=attn_mask, is_causal=is_causal)
        x = (x + self.drop_path1(self.ls1(attended)))[:, : self.tokens]
        out: Tensor = x + self.drop_path2(self.ls2(self.mlp(self.norm2(x))))
        return out


def shorten_open_clip(visual: Any) -> None:
    """Replaces the last block of an open_clip tower if only its class token is read."""
    from open_clip.transformer import ResidualAttentionBlock

    blocks = visual.transformer.resblocks
    reads_class_token = visual.pool_type == "tok" and visual.attn_pool is None
    is_plain = type(blocks[-1]) is ResidualAttentionBlock
    if reads_class_token and is_plain and isinstance(blocks[-1].attn, FusedAttention):
        blocks[-1] = OpenClipLastBlock(blocks[-1])


def shorten_timm(model: Any) -> None:
    """Replaces the last block of a plain vision transformer of timm in the same case."""
    from timm.models.vision_transformer import Block, VisionTransformer

    reads_class_token = type(model) is VisionTransformer and model.global_pool == "token"
    if reads_class_token and type(model.blocks[-1]) is Block:
        model.blocks[-1] = TimmLastBlock(model.blocks[-1])
