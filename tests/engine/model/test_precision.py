from __future__ import annotations

import time

import pytest
import torch
from torch.nn import functional as F

from ltbench.backbone import Backbone
from ltbench.config.runspec import Precision
from ltbench.engine.model import precision
from ltbench.engine.model.flops import forward_flops
from ltbench.engine.model.precision import asked_for, choose_precision, lower_precision
from ltbench.registry.registry import Registry
from ltbench.testing import small_backbone

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
    policy = asked_for(asked, CPU)
    layer = torch.nn.Linear(4, 4)
    with policy.autocast():
        assert layer(torch.ones(1, 4)).dtype == dtype
    assert layer.weight.dtype == torch.float32  # the master weights
    assert policy.scaler().is_enabled() == (asked == "fp16")


@pytest.mark.parametrize(("asked", "fused"), [("fp32", True), ("bf16", False)])
def test_attention_of_products_is_for_lower_precisions(asked: Precision, fused: bool) -> None:
    q, k, v = torch.randn(3, 2, 2, 17, 8).requires_grad_().unbind(0)
    with asked_for(asked, CPU).autocast():
        found = F.scaled_dot_product_attention(q, k, v)
    assert ("ScaledDotProduct" in type(found.grad_fn).__name__) is fused


def of_flops(monkeypatch: pytest.MonkeyPatch, flops: float, flags: set[str]) -> Backbone:
    monkeypatch.setattr(precision, "forward_flops", lambda backbone: flops)
    monkeypatch.setattr(precision, "_cpu_flags", lambda: frozenset(flags))
    return backbone()


@pytest.mark.parametrize(
    ("flops", "flags", "chosen", "reason"),
    [
        (38e6, {"avx512_bf16"}, "fp32", "0.038 GFLOP an image, bf16 from 1"),
        (0.99e9, {"avx512_bf16"}, "fp32", "0.99 GFLOP an image, bf16 from 1"),
        (1e9, {"avx512_bf16"}, "bf16", "1 GFLOP an image, bf16 from 1"),
        (32e9, {"avx512_bf16"}, "bf16", "32 GFLOP an image, bf16 from 1"),
        (32e9, {"avx512f"}, "fp32", "the CPU has no avx512_bf16"),
        (32e9, set(), "fp32", "the CPU has no avx512_bf16"),
    ],
)
def test_auto_on_a_cpu_follows_its_features_and_the_size_of_the_model(
    monkeypatch: pytest.MonkeyPatch, flops: float, flags: set[str], chosen: str, reason: str
) -> None:
    found = choose_precision("auto", of_flops(monkeypatch, flops, flags))
    assert (found.name, found.reason, found.device_type) == (chosen, reason, "cpu")


@pytest.mark.parametrize(
    ("capability", "chosen"),
    [((9, 0), "bf16"), ((8, 0), "bf16"), ((7, 5), "fp16"), ((7, 0), "fp16"), ((6, 1), "fp32")],
)
def test_auto_on_a_gpu_follows_its_compute_capability(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    shown = "compute capability {}.{}".format(*capability)
    assert lower_precision(torch.device("cuda")) == (chosen, shown)


def test_auto_reads_no_clock(monkeypatch: pytest.MonkeyPatch, registry: Registry) -> None:
    """The choice is the same however busy the machine is."""

    def clock() -> float:
        raise AssertionError("a clock was read")

    small = small_backbone("clip_tiny", registry=registry)
    monkeypatch.setattr(time, "perf_counter", clock)
    monkeypatch.setattr(time, "monotonic", clock)
    assert choose_precision("auto", small).name == "fp32"


def test_operations_are_those_of_linear_layers_and_convolutions() -> None:
    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 8, 2, stride=2, groups=1)
            self.grouped = torch.nn.Conv2d(8, 8, 1, groups=4)
            self.layer = torch.nn.Linear(8, 4)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            tokens = self.grouped(self.conv(images)).flatten(2).mT
            features: torch.Tensor = self.layer(tokens).mean(1)
            return features

    small = Backbone(Small(), width=4, resolution=8, mean=(0.5,) * 3, std=(0.5,) * 3)
    positions = 4 * 4
    assert forward_flops(small) == 2 * positions * (8 * 3 * 2 * 2 + 8 * 2 + 4 * 8)


def test_the_operations_of_the_embedded_backbone(registry: Registry) -> None:
    """By hand: 17 tokens of width 128, six blocks of 12 d^2, patches of 8 x 8 pixels."""
    small = small_backbone("clip_tiny", registry=registry)
    small.compute_all_tokens()
    blocks = 2 * 17 * 6 * 12 * 128**2
    assert forward_flops(small) == blocks + 2 * 16 * 128 * 3 * 8**2
