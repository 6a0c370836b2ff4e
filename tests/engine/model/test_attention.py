from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ltbench.engine.model.attention import AttentionOfProducts


def tokens() -> tuple[Tensor, ...]:
    """Query, key and value, (2, 3, 17, 8) each."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 2, 3, 17, 8, generator=generator).requires_grad_().unbind(0)


@pytest.mark.parametrize("options", [{}, {"scale": 0.1}, {"dropout_p": 0.0, "is_causal": False}])
def test_the_products_are_attention(options: dict[str, Any]) -> None:
    q, k, v = tokens()
    exact = F.scaled_dot_product_attention(q, k, v, **options)
    with AttentionOfProducts():
        found = F.scaled_dot_product_attention(q, k, v, **options)
        named = F.scaled_dot_product_attention(key=k, value=v, query=q, **options)
    assert "ScaledDotProduct" not in type(found.grad_fn).__name__
    torch.testing.assert_close(found, exact)
    torch.testing.assert_close(named, exact)
    weights = torch.linspace(-1, 1, exact.numel()).view_as(exact)
    for mine, theirs in zip(
        torch.autograd.grad((found * weights).sum(), (q, k, v)),
        torch.autograd.grad((exact * weights).sum(), (q, k, v)),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize(
    "options", [{"is_causal": True}, {"attn_mask": torch.ones(17, 17, dtype=torch.bool).tril()}]
)
def test_masks_are_left_to_pytorch(options: dict[str, Any]) -> None:
    q, k, v = tokens()
    expected = F.scaled_dot_product_attention(q, k, v, **options)
    with AttentionOfProducts():
        assert torch.equal(F.scaled_dot_product_attention(q, k, v, **options), expected)


def test_other_functions_are_as_they_are() -> None:
    with AttentionOfProducts():
        assert F.gelu(torch.zeros(2), approximate="tanh").tolist() == [0.0, 0.0]
