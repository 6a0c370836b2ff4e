from __future__ import annotations

import pytest
import torch
from torch import nn

from ltbench.export.linear_head import linear_form
from ltbench_plugins.modules.cache_head import CacheHead
from ltbench_plugins.modules.gla_head import GlaHead
from ltbench_plugins.modules.heads import CosineHead, L2NormHead, LayerNormHead, LinearHead

WIDTH = 12


def filled(head: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for tensor in (*head.parameters(), *head.buffers()):
        nn.init.normal_(tensor)
    return head.eval()


@pytest.mark.parametrize(
    ("head", "unit", "biased"),
    [
        (LinearHead(5, WIDTH), False, True),
        (L2NormHead(5, WIDTH), False, False),
        (CosineHead(5, WIDTH, 25.0), True, False),
        (GlaHead(5, WIDTH, 25.0, 30.0, 2), True, True),
    ],
)
def test_linear_heads_have_a_linear_form(head: nn.Module, unit: bool, biased: bool) -> None:
    form = linear_form(filled(head), WIDTH)
    assert form is not None
    assert (form.unit, form.bias is not None) == (unit, biased)
    features = 3 * torch.randn(7, WIDTH)
    torch.testing.assert_close(form(features), head(features), rtol=1e-5, atol=1e-4)


def test_other_heads_have_none() -> None:
    assert linear_form(filled(LayerNormHead(5, WIDTH)), WIDTH) is None
    cache = CacheHead(5, WIDTH, 25.0, 1.0, 5.5, 2)
    nn.init.normal_(cache.weight)
    cache.start(None, lambda per_class: (torch.randn(10, WIDTH), torch.arange(10) % 5))  # type: ignore[arg-type]
    assert linear_form(cache.eval(), WIDTH) is None


def test_votes_of_weight_zero_leave_a_linear_form() -> None:
    cache = CacheHead(5, WIDTH, 25.0, 0.0, 5.5, 2)
    nn.init.normal_(cache.weight)
    cache.start(None, lambda per_class: (torch.randn(10, WIDTH), torch.arange(10) % 5))  # type: ignore[arg-type]
    form = linear_form(cache.eval(), WIDTH)
    assert form is not None
    assert form.unit
