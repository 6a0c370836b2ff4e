from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from ltbench.backbone import Backbone
from ltbench.cache import NO_CACHE, Cache
from ltbench.config.runspec import Precision
from ltbench.engine import pace, precision
from ltbench.engine.pace import choose_arithmetic
from ltbench.engine.precision import Arithmetic, asked_for, fastest_products

CPU = torch.device("cpu")


class Tokens(torch.nn.Module):
    """Mean colour to four features."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.layer(images.mean((2, 3)))
        return features


def backbone() -> Backbone:
    made = Backbone(Tokens(), width=4, resolution=8, mean=(0.5,) * 3, std=(0.5,) * 3)
    return made.requires_grad_(False)


@pytest.mark.parametrize(
    ("asked", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_what_is_asked_for_is_what_multiplies(asked: Precision, dtype: torch.dtype) -> None:
    arithmetic = asked_for(asked, CPU)
    layer = torch.nn.Linear(4, 4)
    with arithmetic.autocast():
        assert layer(torch.ones(1, 4)).dtype == dtype
    assert layer.weight.dtype == torch.float32  # the master weights
    assert arithmetic.scaler().is_enabled() == (asked == "fp16")


@pytest.mark.parametrize(("asked", "fused"), [("fp32", True), ("bf16", False)])
def test_attention_of_products_is_for_lower_precisions(asked: Precision, fused: bool) -> None:
    q, k, v = torch.randn(3, 2, 2, 17, 8).requires_grad_().unbind(0)
    with asked_for(asked, CPU).autocast():
        found = F.scaled_dot_product_attention(q, k, v)
    assert ("ScaledDotProduct" in type(found.grad_fn).__name__) is fused


@pytest.mark.parametrize(
    ("products", "speedup", "chosen", "reason"),
    [
        ("bf16", 3.0, "bf16", "measured 3.0x fp32"),
        ("bf16", 1.5, "bf16", "measured 1.5x fp32"),
        ("bf16", 1.3, "fp32", "bf16 measured 1.3x"),
        ("bf16", 0.5, "fp32", "bf16 measured 0.5x"),
        ("fp32", 9.0, "fp32", "others multiply no faster"),
    ],
)
def test_auto_takes_what_the_backbone_is_faster_with(
    monkeypatch: pytest.MonkeyPatch,
    products: Precision,
    speedup: float,
    chosen: str,
    reason: str,
) -> None:
    def pass_(made: Backbone, images: torch.Tensor, arithmetic: Arithmetic) -> float:
        return len(images) * (1.0 if arithmetic.name == "fp32" else 1.0 / speedup)

    monkeypatch.setattr(pace, "_pass", pass_)
    monkeypatch.setattr(pace, "fastest_products", lambda device: (products, 2.0))
    arithmetic = choose_arithmetic("auto", backbone(), {}, NO_CACHE)
    assert (arithmetic.name, arithmetic.reason) == (chosen, reason)
    assert arithmetic.seconds == (1.0 if chosen == "fp32" else 1.0 / speedup)


def test_the_runs_of_a_store_make_the_same_choice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cache = Cache(tmp_path, 10_000)
    first = choose_arithmetic("auto", backbone(), {"threads": 1}, cache)
    monkeypatch.setattr(pace, "_measured", lambda names, backbone: dict.fromkeys(names, 1e9))
    assert choose_arithmetic("auto", backbone(), {"threads": 1}, cache) == first
    assert choose_arithmetic("auto", backbone(), {"threads": 2}, cache).seconds == 1e9


def test_what_is_asked_for_is_measured_too() -> None:
    arithmetic = choose_arithmetic("fp32", backbone(), {}, NO_CACHE)
    assert (arithmetic.name, arithmetic.reason) == ("fp32", "as asked")
    assert arithmetic.seconds is not None
    assert 0 < arithmetic.seconds < 10


@pytest.mark.parametrize(("speedup", "chosen"), [(3.0, "bf16"), (1.1, "fp32"), (0.5, "fp32")])
def test_the_fastest_products_are_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, speedup: float, chosen: str
) -> None:
    seconds = {torch.float32: 1.0, torch.bfloat16: 1.0 / speedup}
    monkeypatch.setattr(precision, "_seconds", lambda device, dtype: seconds[dtype])
    fastest_products.cache_clear()
    assert fastest_products("cpu")[0] == chosen
    fastest_products.cache_clear()


def test_the_measurement_is_of_real_products() -> None:
    assert 0 < precision._seconds(CPU, torch.float32) < 10
