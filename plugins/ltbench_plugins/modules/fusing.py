"""Joining of Linears with the same input, in place: same weights, same result up to rounding."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def fuse_qkv(attention: Any) -> None:
    """Replaces separate parts of timm's projections by one Linear `qkv` with a bias.

    timm's EVA and BeiT have query, key and value either as three Linears, or as one whose module
    is never called: its weight is used with two biases, for query and value. The key's bias then
    becomes one that starts at 0. Grouped keys, which are narrower, are not joined.

    Args:
        attention: Attention module of timm.
    """
    parts = [getattr(attention, f"{name}_proj", None) for name in "qkv"]
    linears = [part for part in parts if isinstance(part, nn.Linear)]
    if len(linears) == len(parts):
        if len({linear.out_features for linear in linears}) == 1:
            attention.qkv = _join(*linears)
            attention.q_proj = attention.k_proj = attention.v_proj = None
    elif getattr(attention, "q_bias", None) is not None:
        bias = [attention.q_bias, torch.zeros_like(attention.q_bias), attention.v_bias]
        attention.qkv.bias = nn.Parameter(torch.cat(bias).detach())
        attention.q_bias = attention.k_bias = attention.v_bias = None


def pack_gate(mlp: nn.Module) -> nn.Module:
    """Returns timm's SwiGLU with gate and value in one Linear; any other MLP unchanged.

    Both are projections of the MLP's input. The joined Linear is `fc1`, the first layer for
    methods, as in timm's own packed MLP without a norm.
    """
    from timm.layers.mlp import GluMlp, SwiGLU

    if not isinstance(mlp, SwiGLU):
        return mlp
    packed = GluMlp(1, 2, gate_last=False, device="meta")
    packed.fc1 = _join(mlp.fc1_g, mlp.fc1_x)
    for name in ("act", "drop1", "norm", "fc2", "drop2"):
        setattr(packed, name, getattr(mlp, name))
    return packed


def _join(*linears: nn.Linear) -> nn.Linear:
    """Returns a Linear with the concatenated outputs of several."""
    outputs = sum(linear.out_features for linear in linears)
    biased = any(linear.bias is not None for linear in linears)
    joined = nn.Linear(linears[0].in_features, outputs, bias=biased, device="meta")
    joined.weight = nn.Parameter(torch.cat([linear.weight.detach() for linear in linears]))
    if biased:
        joined.bias = nn.Parameter(torch.cat([_bias(linear) for linear in linears]))
    return joined


def _bias(linear: nn.Linear) -> torch.Tensor:
    found = linear.bias
    return linear.weight.new_zeros(linear.out_features) if found is None else found.detach()
