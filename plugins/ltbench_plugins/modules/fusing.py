"""Joins Linears that have the same input, in place: same result up to rounding, same weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def fuse_qkv(attention: Any) -> None:
    """Makes one Linear `qkv` with a bias of what timm keeps in parts, so that methods can wrap it.

    timm's EVA and BEiT have query, key and value either as three Linears, or as one whose module
    is never called: its weight is used beside two biases, for query and value. The key's bias is
    then one like the others that starts at 0. Grouped keys, which are narrower, stay apart.

    Args:
        attention: timm's module.
    """
    parts = [getattr(attention, f"{name}_proj", None) for name in "qkv"]
    linears = [part for part in parts if isinstance(part, nn.Linear)]
    if len(linears) == len(parts):
        if len({linear.out_features for linear in linears}) == 1:
            attention.qkv = _joined(*linears)
            attention.q_proj = attention.k_proj = attention.v_proj = None
    elif getattr(attention, "q_bias", None) is not None:
        bias = [attention.q_bias, torch.zeros_like(attention.q_bias), attention.v_bias]
        attention.qkv.bias = nn.Parameter(torch.cat(bias).detach())
        attention.q_bias = attention.k_bias = attention.v_bias = None


def packed_gate(mlp: nn.Module) -> nn.Module:
    """Returns a SwiGLU of timm's with gate and value in one Linear; other MLPs as they are.

    Both are projections of the MLP's input: one Linear `fc1` of both, as timm has it where no norm
    is between, is what methods find as the first layer.
    """
    from timm.layers.mlp import GluMlp, SwiGLU

    if not isinstance(mlp, SwiGLU):
        return mlp
    packed = GluMlp(1, 2, gate_last=False, device="meta")
    packed.fc1 = _joined(mlp.fc1_g, mlp.fc1_x)
    for name in ("act", "drop1", "norm", "fc2", "drop2"):
        setattr(packed, name, getattr(mlp, name))
    return packed


def _joined(*linears: nn.Linear) -> nn.Linear:
    """Returns a Linear whose outputs are those of several, one after the other."""
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
