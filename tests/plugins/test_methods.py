"""What methods learn and compute, counted and worked out by hand.

On the CLIP of 4 blocks, d = 128 and 64 behind the projection, with 17 tokens an image, and 12
classes; and in whole runs on 128 digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone, Block
from ltbench.errors import ConfigError, NothingMatchedError
from ltbench.specs import MethodSpec
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

METHODS: dict[str, MethodSpec] = specs_of("method")
COUNTS = [0] * 12
IMAGES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).view(2, 3, 32, 32)


def apply(backbone: Backbone, method: str, **options: Any) -> list[nn.Parameter]:
    spec = METHODS[method]
    return spec.build(spec.config(**options), parity.context(COUNTS, backbone)).apply(backbone)


@value_of("method", "lift", "lift_plus", "ln_tuning")
@pytest.mark.parametrize(
    ("method", "options", "count"),
    [
        ("ln_tuning", {}, 4 * 2 * (128 + 128)),
        ("ln_tuning", {"layers": 1}, 2 * (128 + 128)),
        # 12 / (2 * 4) = 1.5, so that the bottlenecks have dim 1: norm, down, up, scale
        ("lift", {}, 4 * (2 * 128 + (128 + 1) + (128 + 128) + 1)),
        ("lift_plus", {}, 4 * (2 * 128 + (128 + 1) + (128 + 128) + 1)),
        # 12 / (2 * 2) = 3 for two blocks: dim 2
        ("adapter", {"layers": (0, 2)}, 2 * (2 * 128 + 2 * 128 + 2 + (2 * 128 + 128))),
        ("lora", {"targets": ("q", "k", "v", "out"), "dim": 2}, 4 * 4 * (2 * 128 + 128 * 2)),
        ("lora", {"targets": ("out",), "dim": 2}, 4 * (2 * 128 + 128 * 2)),
        ("vpt", {}, 4 * 2 * 128),  # 12 / 4 = 3: length 2
        ("vpt", {"layers": (0, 2), "length": 3}, 2 * 3 * 128),
        ("vpt", {"layers": 3, "length": 3, "deep": False}, 3 * 128),
        ("vpt", {"deep": False}, 8 * 128),  # in one block: 12 / 1, length 8
        ("ssf", {"layers": 1}, 2 * (384 + 128 + 512 + 128)),
        # of qkv, out, fc1 and fc2; of biases, where there is one entry at all
        ("aft", {}, 4 * (95 + 31 + 127 + 127)),  # 12 / (4 * (12 * 128 + 9)) = 0.00194
        ("aft", {"part": "attention"}, 4 * (285 + 95 + 2)),  # 12 / (4 * (4 * 128 + 4)) = 0.00581
        ("aft", {"part": "mlp"}, 4 * (191 + 191 + 1)),  # 12 / (4 * (8 * 128 + 5)) = 0.00292
    ],
)
def test_learned_parameters_are_as_many_as_counted(
    method: str, options: dict[str, Any], count: int
) -> None:
    assert sum(p.numel() for p in apply(parity.clip_vit(), method, **options)) == count


def fill(parameters: Sequence[nn.Parameter], values: Sequence[float]) -> None:
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.fill_(value)


@value_of("method", "ln_tuning")
@pytest.mark.parametrize("make", [parity.clip_vit, parity.timm_vit])
def test_ln_tuning_learns_what_the_norms_multiply_by_and_add(make: Any) -> None:
    backbone = make()
    fill(apply(backbone, "ln_tuning", layers=1), [2, 1, 3, -1])
    x = torch.tensor([1.0, -1.0]).repeat(backbone.width // 2)  # mean 0, deviation 1
    block = backbone.blocks[-1]
    assert torch.allclose(block["norm1"](x), 2 * x + 1, atol=1e-4)
    assert torch.allclose(block["norm2"](x), 3 * x - 1, atol=1e-4)


@value_of("method", "lift", "lift_plus", "adapter")
@pytest.mark.parametrize(
    ("method", "values", "added"),
    [  # down gives relu(1) = 1 twice, up 2 * 0.5 + 2 = 3
        ("lift", {"scale": 3, "down.bias": 1, "up.weight": 0.5, "up.bias": 2}, 9),
        ("lift_plus", {"scale": 3, "down.bias": 1, "up.weight": 0.5, "up.bias": 2}, 9),
        ("adapter", {"down.bias": 1, "up.weight": 0.5, "up.bias": 2}, 3),
        ("adapter", {"down.bias": -1, "up.weight": 0.5, "up.bias": 2}, 2),
    ],
)
@pytest.mark.parametrize("make", [parity.clip_vit, parity.timm_vit])
def test_a_bottleneck_adds_to_its_block(
    make: Any, method: str, values: dict[str, float], added: float
) -> None:
    backbone = make()
    block = backbone.blocks[1].module
    x = torch.randn(2, 17, backbone.width, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = block(x)
        apply(backbone, method, dim=2)
        inserted = block.adapter if method == "adapter" else block.adaptformer
        fill([inserted.down.weight], [0])
        fill([inserted.get_parameter(name) for name in values], list(values.values()))
        assert torch.allclose(block(x), plain + added, atol=1e-5)


def test_lora_equals_what_its_weights_come_to_when_merged() -> None:
    backbone, merged = parity.clip_vit(), parity.clip_vit()
    apply(backbone, "lora", dim=2, targets=("q", "k", "v", "out"))
    with torch.no_grad():
        for block, plain in zip(backbone.blocks, merged.blocks, strict=True):
            lora: Any = block.module.lora
            changes = {}
            for name in ("q", "k", "v", "out"):
                lora[name].up.normal_(std=0.1)
                changes[name] = (lora[name].down @ lora[name].up / 2).T
            plain["qkv"].weight += torch.cat([changes["q"], changes["k"], changes["v"]])
            plain["attn_out"].weight += changes["out"]
        assert parity.relative(backbone(IMAGES), merged(IMAGES)) < 1e-5
        assert parity.relative(backbone(IMAGES), parity.clip_vit()(IMAGES)) > 1e-3


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ({}, [20, 20, 20, 20]),
        ({"layers": (0, 2)}, [20, 17, 20, 17]),
        ({"deep": False}, [20, 20, 20, 20]),
        ({"deep": False, "layers": 3}, [17, 20, 20, 20]),
        ({"deep": False, "layers": (1,)}, [17, 20, 20, 20]),
    ],
)
def test_prompts_are_seen_by_their_blocks_only(options: dict[str, Any], tokens: list[int]) -> None:
    backbone = parity.clip_vit()
    backbone.compute_all_tokens()
    prompts = apply(backbone, "vpt", length=3, **options)
    inside: list[int] = []
    out: list[Tensor] = []
    for block in backbone.blocks:
        block["qkv"].register_forward_hook(lambda m, args, y: inside.append(y.shape[1]))
        block.module.register_forward_hook(lambda m, args, y: out.append(y))
    backbone(IMAGES)
    assert inside == tokens
    assert out[-1].shape[1] == 17
    assert all(prompt.shape == (3, 128) for prompt in prompts)


def test_new_weights_start_as_in_the_paper() -> None:
    backbone = parity.clip_vit()
    for method, size in (("lora", "dim"), ("adapter", "dim"), ("vpt", "length"), ("ssf", None)):
        apply(backbone, method, **({size: 16} if size else {}))
    block: Any = backbone.blocks[0].module
    lora, adapter, ssf = block.lora.q, block.adapter, block.mlp.c_fc.ssf
    for uniform, bound in ((lora.down, 1 / math.sqrt(16)), (adapter.down.weight, 128**-0.5)):
        assert 0.99 * bound < uniform.abs().max() <= bound
        assert uniform.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
    for zero in (lora.up, adapter.up.weight, adapter.up.bias, adapter.down.bias):
        assert not zero.any()
    for normal, mean in ((block.vpt.prompt, 0), (ssf.scale, 1), (ssf.shift, 0)):
        assert normal.mean().item() == pytest.approx(mean, abs=0.005)
        assert normal.std().item() == pytest.approx(0.02, rel=0.2)


def test_aft_learns_entries_that_a_mask_of_its_own_seed_chooses() -> None:
    aft = METHODS["aft"]

    def chosen(run_seed: int, **options: Any) -> list[Tensor]:
        backbone = parity.clip_vit()
        before = backbone.blocks[0]["mlp_in"].weight
        ctx = replace(parity.context(COUNTS, backbone), seed=run_seed)
        aft.build(aft.config(ratio=0.01, **options), ctx).apply(backbone)
        linears: list[Any] = [block["mlp_in"] for block in backbone.blocks]
        learned = [linear.learned["weight"] for linear in linears]
        assert linears[0].weight is before
        assert torch.equal(learned[0].entries, before.flatten()[learned[0].index])
        assert all((entries.index.diff() > 0).all() for entries in learned)
        return [entries.index for entries in learned]

    first = chosen(0)
    assert all(torch.equal(index, first[0]) for index in [*first, *chosen(1), *chosen(1)])
    assert not torch.equal(first[0], chosen(0, aft_seed=1)[0])
    of_run = chosen(0, aft_seed="run")
    assert torch.equal(of_run[1], chosen(0, aft_seed="run")[1])
    assert not torch.equal(of_run[0], chosen(1, aft_seed="run")[0])
    assert not torch.equal(of_run[0], of_run[1])


def test_aft_of_everything_has_the_gradient_of_full() -> None:
    aft, full = parity.timm_vit(), parity.timm_vit()
    apply(aft, "aft", ratio=1.0)
    aft(IMAGES).square().mean().backward()
    full(IMAGES).square().mean().backward()
    for block, plain in zip(aft.blocks, full.blocks, strict=True):
        for role in ("qkv", "attn_out", "mlp_in", "mlp_out"):
            learned: Any = block[role].learned
            for name, dense in plain[role].named_parameters():
                assert torch.allclose(learned[name].entries.grad, dense.grad.flatten(), atol=1e-7)


def test_aft_of_nothing_is_an_error() -> None:
    with pytest.raises(ConfigError, match="less than one entry of every weight"):
        apply(parity.clip_vit(), "aft", ratio=1e-6)


@pytest.mark.parametrize("method", ["adaptformer", "adapter", "lora", "vpt", "aft", "ln_tuning"])
def test_methods_of_transformers_refuse_residual_networks(method: str) -> None:
    with pytest.raises(NothingMatchedError, match="BasicBlock blocks have no"):
        apply(parity.timm_resnet(), method)


def test_bitfit_without_biases_is_an_error() -> None:
    backbone = parity.clip_vit()
    backbone.blocks = (Block(nn.Linear(2, 2, bias=False), {}),)
    with pytest.raises(NothingMatchedError, match="Linear blocks have no biases"):
        apply(backbone, "bitfit")


PAPER = "lift lift_plus adaptformer adapter lora vpt ssf aft bitfit ln_tuning full classifier_only"


@pytest.mark.parametrize("method", PAPER.split())
def test_recipes_have_the_papers_settings(method: str) -> None:
    recipe = METHODS[method].recipe
    assert recipe.by_dataset["inat2018"] == {"train.epochs": 20 if method == "lift" else 15}
    rates = {"lift": 0.01, "lift_plus": 0.02, "classifier_only": 0.03, "full": 0.001}
    assert recipe.settings.get("train.lr") == rates.get(method)
    places = {"full": {"train.lr": 0.002}, "aft": {"method.ratio": 0.005}}
    assert recipe.by_dataset.get("places_lt") == places.get(method)


def joint_clip() -> Backbone:
    backbone = parity.clip_vit()
    backbone.project()
    return backbone


@torch.no_grad()
def features(backbone: Backbone) -> Tensor:
    found: Tensor = backbone(IMAGES)
    return found


@value_of("method", "clip_adapter")
def test_clip_adapter_mixes_a_bottleneck_into_the_features() -> None:
    backbone = joint_clip()
    plain = features(backbone)
    down, up = apply(backbone, "clip_adapter", ratio=0.25)
    assert (down.shape, up.shape) == ((16, 64), (64, 16))
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in (down, up):
            parameter.copy_(torch.randn(parameter.shape, generator=random))
        adapted = F.relu(F.relu(plain @ down.T) @ up.T)
    assert torch.allclose(features(backbone), 0.75 * plain + 0.25 * adapted, atol=1e-4)


def test_clip_adapter_of_ratio_0_is_the_identity() -> None:
    backbone = joint_clip()
    plain = features(backbone)
    apply(backbone, "clip_adapter", ratio=0.0, reduction=8)
    assert torch.equal(features(backbone), plain)


@value_of("method", "proj_tuning")
def test_proj_tuning_adds_an_offset_to_the_projection() -> None:
    before, backbone = features(parity.clip_vit()), joint_clip()
    plain = features(backbone)
    (offset,) = apply(backbone, "proj_tuning")
    assert offset.shape == (128, 64)
    assert torch.equal(features(backbone), plain)
    with torch.no_grad():
        offset.copy_(torch.randn(offset.shape, generator=torch.Generator().manual_seed(0)))
    assert torch.allclose(features(backbone), plain + before @ offset, atol=1e-4)


def test_weight_decay_pulls_towards_the_pretrained_projection() -> None:
    backbone = joint_clip()
    assert backbone.projection is not None
    pretrained = backbone.projection.detach().clone()
    (offset,) = apply(backbone, "proj_tuning")
    fill([offset], [2])
    offset.grad = torch.zeros_like(offset)
    torch.optim.SGD([offset], lr=0.5, weight_decay=0.1, fused=True).step()
    assert torch.allclose(backbone.projection, pretrained + 2 * (1 - 0.5 * 0.1))


def test_proj_tuning_needs_a_projection() -> None:
    for backbone in (parity.timm_vit(), parity.clip_resnet()):
        with pytest.raises(NothingMatchedError, match="no projection of its own"):
            apply(backbone, "proj_tuning")
