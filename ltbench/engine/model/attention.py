"""Attention as two matrix products, for devices where PyTorch's fused kernels are slower."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


class AttentionOfProducts(TorchFunctionMode):
    """A mode in which `F.scaled_dot_product_attention` is two matrix products and a softmax.

    In bfloat16 on CPUs the fused kernel's backward pass takes two to ten times as long, and its
    forward pass is no faster. Masks, dropout and grouped keys are left to PyTorch.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Calls a function of PyTorch, or the two products in place of the fused attention."""
        called = _attention if func is F.scaled_dot_product_attention else func
        return called(*args, **({} if kwargs is None else kwargs))


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Returns softmax(q k^T / sqrt(D)) v, (..., N, D) (arXiv:1706.03762, equation 1)."""
    if attn_mask is not None or dropout_p or is_causal or enable_gqa:
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    return ((query * factor) @ key.transpose(-2, -1)).softmax(dim=-1) @ value
