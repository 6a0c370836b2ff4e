"""The tuners of peft: each works on our backbones, or says why not."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from ltbench.backbone import Backbone
from ltbench.config.options import parse_options
from ltbench.engine.model.encoder_snapshot import EncoderSnapshot
from ltbench.engine.model.frozen_part import frozen_part
from ltbench.engine.model.precision import PrecisionPolicy
from ltbench.errors import ConfigError, NothingMatchedError, UnknownNameError
from ltbench_plugins.methods.peft import PEFT, REFUSED, TUNERS, PeftConfig
from tests import parity
from tests.covered import value_of
from tests.tiers import all_but

IMAGES = torch.linspace(-1, 1, 4 * 3 * 32 * 32).view(4, 3, 32, 32)
ROLES = ("qkv", "attn_out", "mlp_in", "mlp_out")
# Where 4 is too small, or the widths of the small backbones must be divided by it.
SIZES = {"vblora": 32, "c3a": 32, "oft": 8, "road": 32, "vera": 16, "pvera": 16, "unilora": 64}
ELSEWHERE = {"vblora", "unilora"}  # start with other features than the backbone's

BACKBONES = pytest.mark.parametrize("make", [parity.clip_vit, parity.timm_vit])
REPRESENTATIVES = ("dora", "oft", "vera")
EACH = pytest.mark.parametrize("tuner", all_but(REPRESENTATIVES, TUNERS))


@pytest.fixture(autouse=True)
def _peft() -> None:
    pytest.importorskip("peft")


def options(tuner: str) -> dict[str, Any]:
    # glora wants Linears of exactly that type, which open_clip's attn_out is not.
    roles = ("qkv", "mlp_in", "mlp_out") if tuner == "glora" else ROLES
    rank = None if TUNERS[tuner].size is None else SIZES.get(tuner, 4)
    return {"tuner": tuner, "rank": rank, "roles": roles}


def apply(backbone: Backbone, seed: int = 0, classes: int = 100, **chosen: Any) -> list[Any]:
    context = replace(parity.context([1] * classes, backbone), seed=seed)
    torch.manual_seed(seed)
    return list(PEFT.build(PeftConfig(**chosen), context).apply(backbone))


def built(make: Callable[[], Backbone], tuner: str, seed: int = 0) -> tuple[Backbone, list[Any]]:
    backbone = make().requires_grad_(False)
    learned = apply(backbone, seed, **options(tuner))
    for parameter in learned:
        parameter.requires_grad_(True)
    return backbone.eval(), learned


def loss_of(backbone: Backbone) -> Tensor:
    return (backbone(IMAGES) - IMAGES.flatten(1)[:, : backbone.width]).square().mean()


def train(backbone: Backbone, learned: list[nn.Parameter]) -> None:
    backbone.train()
    optimizer = torch.optim.SGD(learned, lr=0.02, momentum=0.9, weight_decay=5e-4)
    for _ in range(2):
        loss_of(backbone).backward()
        optimizer.step()
        optimizer.zero_grad()
    backbone.eval()


@torch.no_grad()
def features(backbone: Backbone, images: Tensor = IMAGES) -> Tensor:
    found: Tensor = backbone(images)
    return found


def learned_names(backbone: Backbone) -> dict[str, nn.Parameter]:
    return {name: p for name, p in backbone.named_parameters() if p.requires_grad}


def test_every_tuner_of_peft_is_offered_or_refused_with_a_reason() -> None:
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    offered = {tuner.kind.lower() for tuner in TUNERS.values()}
    assert not offered & set(REFUSED)
    assert {kind.value.lower() for kind in PEFT_TYPE_TO_CONFIG_MAPPING} == offered | set(REFUSED)


@pytest.mark.full
@pytest.mark.parametrize("tuner", TUNERS)
def test_each_tuner_is_built_and_learns(tuner: str) -> None:
    expect_new_weights_alone_to_be_learned(parity.clip_vit, tuner)


@EACH
def test_only_what_is_new_is_learned_in_a_transformer_of_timm(tuner: str) -> None:
    expect_new_weights_alone_to_be_learned(parity.timm_vit, tuner)


def expect_new_weights_alone_to_be_learned(make: Callable[[], Backbone], tuner: str) -> None:
    plain, (backbone, learned) = make(), built(make, tuner)
    assert sum(p.numel() for p in learned) > 0
    assert {id(p) for p in learned} <= {id(p) for p in backbone.model.parameters()}
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    pretrained = {name.replace(".base_layer", ""): value for name, value in before.items()}
    for name, value in plain.state_dict().items():
        assert torch.equal(value, pretrained[name]), name
    assert torch.allclose(features(backbone), features(plain), atol=1e-5) != (tuner in ELSEWHERE)
    train(backbone, learned)
    names = learned_names(backbone)
    assert len(names) == len(learned)
    for name, value in backbone.state_dict(keep_vars=True).items():
        moved = any(value is p for p in names.values())
        assert torch.equal(value, before[name]) != moved, name


@pytest.mark.full
@EACH
@BACKBONES
def test_the_seed_and_the_learned_weights_bring_a_model_back(
    make: Callable[[], Backbone], tuner: str
) -> None:
    trained, learned = built(make, tuner)
    train(trained, learned)
    for seed in (0, 1):
        again, _ = built(make, tuner, seed)
        with torch.no_grad():
            for name, parameter in learned_names(again).items():
                parameter.copy_(learned_names(trained)[name])
        equal = torch.equal(features(again), features(trained))
        assert equal == (seed == 0 or TUNERS[tuner].seed is None)


@EACH
@BACKBONES
def test_copies_are_independent(make: Callable[[], Backbone], tuner: str) -> None:
    backbone, learned = built(make, tuner)
    train(backbone, learned)
    trained, copied = features(backbone), copy.deepcopy(backbone)
    assert torch.equal(features(copied), trained)
    train(copied, list(learned_names(copied).values()))
    assert torch.equal(features(backbone), trained)
    assert not torch.equal(features(copied), trained)


@EACH
@BACKBONES
def test_an_image_does_not_see_its_batch(make: Callable[[], Backbone], tuner: str) -> None:
    backbone, learned = built(make, tuner)
    train(backbone, learned)
    assert torch.allclose(features(backbone)[:1], features(backbone, IMAGES[:1]), atol=1e-4)


@EACH
@BACKBONES
def test_mixed_precision(make: Callable[[], Backbone], tuner: str) -> None:
    backbone, learned = built(make, tuner)
    train(backbone, learned)
    with torch.autocast("cpu", torch.bfloat16):
        loss, rounded = loss_of(backbone), features(backbone).float()
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in learned)
    assert 0 < parity.relative(rounded, features(backbone)) < 0.02


@EACH
@BACKBONES
def test_checkpointing_changes_no_gradient(make: Callable[[], Backbone], tuner: str) -> None:
    backbone, learned = built(make, tuner)
    train(backbone, learned)
    backbone.train()
    gradients = []
    for run in (backbone, partial(checkpoint, backbone, use_reentrant=False)):
        torch.manual_seed(0)  # pvera adds noise
        run(IMAGES).square().sum().backward()
        gradients.append([p.grad for p in learned])
        backbone.zero_grad()
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


@value_of("method", "peft")
@pytest.mark.parametrize(
    ("chosen", "count"),
    [  # 4 blocks, d = 128, qkv 128 -> 384, MLP 128 -> 512 -> 128
        ({}, 4 * 4 * (128 + 384)),  # 100 / (4 * 4) = 6.25: rank 4
        ({"rank": 2, "layers": 1}, 2 * (128 + 384)),
        ({"rank": 2, "roles": ROLES}, 4 * 2 * (512 + 256 + 640 + 640)),
        ({"tuner": "rslora", "rank": 2}, 4 * 2 * (128 + 384)),
        ({"tuner": "dora", "rank": 2}, 4 * (2 * (128 + 384) + 384)),
        ({"tuner": "loha", "rank": 2}, 4 * 2 * 2 * (128 + 384)),
        ({"tuner": "vera", "rank": 16}, 4 * (16 + 384)),
        ({"tuner": "fourierft", "rank": 50}, 4 * 50),
        ({"tuner": "oft", "rank": 8}, 4 * (128 // 8) * (8 * 7 // 2)),
        ({"tuner": "hra", "rank": 2}, 4 * 2 * 128),
        ({"tuner": "c3a", "rank": 32}, 4 * 128 * 384 // 32),
        ({"tuner": "road"}, 4 * 384),
        ({"tuner": "shira", "rank": 2}, 4 * 2 * (128 + 384)),
        ({"tuner": "unilora", "rank": 64}, 64),
        ({"tuner": "ia3", "roles": ("qkv", "mlp_out")}, 4 * (384 + 512)),  # what goes into mlp_out
        ({"tuner": "beft"}, 4 * 384),
    ],
)
def test_learned_parameters_are_as_many_as_counted(chosen: dict[str, Any], count: int) -> None:
    assert sum(p.numel() for p in apply(parity.clip_vit(), **chosen)) == count


def test_a_rank_that_nobody_gives_is_at_least_what_the_tuner_needs() -> None:
    assert sum(p.numel() for p in apply(parity.clip_vit(), classes=2)) == 4 * (128 + 384)
    assert sum(p.numel() for p in apply(parity.clip_vit(), classes=2, tuner="hra")) == 4 * 2 * 128


@value_of("method", "peft")
@BACKBONES
@pytest.mark.parametrize("tuner", ["lora", "rslora", "dora"])
def test_lora_and_its_kin_compute_what_their_papers_say(
    make: Callable[[], Backbone], tuner: str
) -> None:
    backbone, generator = make(), torch.Generator().manual_seed(0)
    plain: Any = backbone.blocks[0]["qkv"]
    down, up, *magnitude = apply(backbone, tuner=tuner, rank=2, layers=(0,))
    x = torch.randn(5, backbone.width, generator=generator)
    with torch.no_grad():
        for parameter in (down, up, *magnitude):
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
        weight = plain.weight + {"rslora": math.sqrt(2)}.get(tuner, 1) * up @ down
        if tuner == "dora":
            weight *= (magnitude[0] / weight.norm(dim=1))[:, None]
        found = backbone.blocks[0]["qkv"](x)
        assert torch.allclose(found, F.linear(x, weight, plain.bias), atol=1e-4)
        assert not torch.allclose(found, plain(x), atol=1e-2)


@pytest.mark.parametrize("tuner", ["lora", "ia3", "vera"])
@pytest.mark.parametrize("layers", ["all", 6, (0, 11)])
def test_the_chosen_linears_are_wrapped_and_no_others(tuner: str, layers: Any) -> None:
    from peft.tuners.tuners_utils import BaseTunerLayer

    backbone = parity.narrow_vit(12)
    chosen = [id(block[role].weight) for block in backbone.select(layers) for role in ROLES[1:]]
    width = backbone.blocks[0].width
    apply(backbone, tuner=tuner, layers=layers, roles=ROLES[1:])
    wrapped = [part for part in backbone.modules() if isinstance(part, BaseTunerLayer)]
    assert sorted(id(part.weight) for part in wrapped) == sorted(chosen)
    for block in backbone.select(layers):
        assert all(block[role] in wrapped for role in ROLES[1:])
        assert block["qkv"] not in wrapped
        assert block.width == width


@pytest.mark.parametrize("tuner", ["lora", "vera", "deft"])
def test_the_blocks_before_the_chosen_ones_are_kept(tuner: str) -> None:
    backbone = parity.clip_vit().requires_grad_(False)
    snapshot = EncoderSnapshot(backbone)
    for parameter in apply(backbone, tuner=tuner, layers=1):
        parameter.requires_grad_(True)
    part = frozen_part(backbone, PrecisionPolicy("fp32", "as asked", "cpu"), snapshot)
    assert part is not None
    assert part.name == f"activations before block {len(backbone.blocks)} of {len(backbone.blocks)}"


def test_what_is_frozen_is_left_to_the_engine() -> None:
    backbone = parity.clip_vit()
    apply(backbone)
    assert all(parameter.requires_grad for parameter in backbone.model.parameters())


@pytest.mark.parametrize(
    ("chosen", "kind", "message", "hint"),
    [
        ({"tuner": "dorra"}, UnknownNameError, "no tuner of peft", "'dora'"),
        ({"tuner": "boft"}, ConfigError, "CUDA extension", "oft"),
        ({"tuner": "adalora"}, ConfigError, "after every step", "lora"),
        ({"tuner": "ia3", "rank": 4}, ConfigError, "has no size", "method.rank"),
    ],
)
def test_a_wrong_choice_is_told_before_anything_is_built(
    chosen: dict[str, Any], kind: type[ConfigError], message: str, hint: str
) -> None:
    with pytest.raises(kind, match=message) as raised:
        parse_options(PeftConfig, chosen, "method", "method 'peft'")
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"tuner": "oft", "rank": 7}, "oft_block_size"),
        ({"tuner": "hra", "rank": 3}, "r is odd"),
        ({"tuner": "gralora", "rank": 3}, "divisible by gralora_k"),
        ({"tuner": "c3a"}, "block size is 256"),
        ({"tuner": "road"}, "divisible by group_size"),
        ({"tuner": "fourierft", "rank": 60_000}, "n_frequency"),
    ],
)
def test_a_size_that_does_not_fit_is_an_error(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        apply(parity.timm_vit(), **chosen)
    assert "set method.rank" in raised.value.hint


def test_layers_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"not a plain torch\.nn\.Linear"):
        apply(parity.clip_vit(), tuner="glora", roles=("attn_out",))
    with pytest.raises(NothingMatchedError, match="have no qkv"):
        apply(parity.timm_resnet())
    with pytest.raises(NothingMatchedError, match="nothing to learn"):
        apply(parity.clip_vit(), tuner="oft", rank=1)


def test_without_peft_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)  # as Python itself marks what is not there
    monkeypatch.delitem(sys.modules, "ltbench_plugins.modules.peft", raising=False)
    with pytest.raises(ConfigError, match="needs the package peft") as raised:
        apply(parity.clip_vit())
    assert raised.value.hint == "pip install 'ltbench[peft]'"
