from __future__ import annotations

import pytest
import torch
from open_clip.transformer import QuickGELU as Plain

from ltbench_plugins.backbones.clip_tiny import ARCHITECTURE
from ltbench_plugins.modules.quick_gelu import QuickGELU, quicken

DTYPES = [torch.float32, torch.bfloat16]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_are_those_of_the_plain_one(dtype: torch.dtype) -> None:
    x = torch.linspace(-12, 12, 4001).to(dtype)
    learning = x.clone().requires_grad_()
    expected = Plain()(x)
    assert torch.equal(QuickGELU()(x), expected)
    assert torch.equal(QuickGELU()(learning), expected)
    with torch.inference_mode():
        assert torch.equal(QuickGELU()(x), expected)


def test_the_gradient_is_the_exact_one() -> None:
    x = torch.linspace(-6, 6, 101, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(QuickGELU(), x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_is_as_good_as_the_plain_ones(dtype: torch.dtype) -> None:
    x = torch.linspace(-12, 12, 4001).to(dtype)

    def slope(module: torch.nn.Module, of: torch.Tensor) -> torch.Tensor:
        inputs = of.clone().requires_grad_()
        (found,) = torch.autograd.grad(module(inputs).sum(), inputs)
        return found.double()

    exact = slope(Plain(), x.double())
    wrong = (slope(QuickGELU(), x) - exact).abs().max()
    assert wrong <= 2 * (slope(Plain(), x) - exact).abs().max()


def test_every_one_of_a_model_is_replaced() -> None:
    import open_clip

    clip = open_clip.CLIP(**ARCHITECTURE)
    quicken(clip)
    kinds = [type(module) for module in clip.modules()]
    assert kinds.count(QuickGELU) == 6 + 2  # of the image tower and of the text tower
    assert Plain not in kinds
