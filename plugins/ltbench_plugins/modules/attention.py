"""Multi-head attention whose projections are ordinary Linears."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class FusedAttention(nn.Module):
    """Replacement of an `nn.MultiheadAttention`, with the same weights as `qkv` and `proj`.

    `nn.MultiheadAttention` keeps its input projection as a bare parameter and never calls its
    output projection as a module, so nothing can wrap or hook them. Same call, same result.

    Args:
        attention: Module to replace: batch first, with one width for query, key and value.
    """

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        width = attention.embed_dim
        self.num_heads = attention.num_heads
        self.qkv = nn.Linear(width, 3 * width, device="meta")
        self.qkv.weight = nn.Parameter(attention.in_proj_weight.detach())
        self.qkv.bias = nn.Parameter(attention.in_proj_bias.detach())
        self.proj = attention.out_proj

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        need_weights: bool = False,
        attn_mask: Tensor | None = None,
        tokens: int | None = None,
    ) -> tuple[Tensor, None]:
        """Returns the self-attention of `query` (B, N, width); key and value equal the query.

        With `tokens`, only the first `tokens` tokens are queries: (B, tokens, width).
        """
        batch, _, width = query.shape
        heads = self.qkv(query).unflatten(-1, (3, self.num_heads, -1))
        q, k, v = heads.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q[:, :, :tokens], k, v, attn_mask=attn_mask)
        return self.proj(mixed.transpose(1, 2).reshape(batch, -1, width)), None
