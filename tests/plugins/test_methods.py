"""What methods learn and compute, counted and worked out by hand.

On the CLIP of 4 blocks, d = 128 and 64 behind the projection, with 17 tokens an image, and 12
classes; and in whole runs on 128 digits.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone, Block
from ltbench.data.randomness import sample_per_class
from ltbench.engine.finished_run import load_run
from ltbench.errors import ConfigError, NothingMatchedError
from ltbench.specs import DataContext, MethodSpec
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import RunResult
from ltbench_plugins.backbones import clip_tiny
from ltbench_plugins.datasets.digits_lt import DIGITS_LT
from ltbench_plugins.methods import ltbench_register_methods
from tests import parity
from tests.conftest import Ended
from tests.covered import value_of

METHODS: dict[str, MethodSpec] = {spec.name: spec for spec in ltbench_register_methods()}
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


@dataclass(frozen=True)
class Finished:
    """What a run ended with: its result, all logits of the test images, and what it learned."""

    result: RunResult
    logits: Tensor
    learned: dict[str, Tensor]


Run = Callable[..., Finished]
ONE_EPOCH = ("--epochs", "1")
STILL = (*ONE_EPOCH, "--lr", "1e-12")


@pytest.fixture
def run(cli: Callable[..., Ended]) -> Run:
    """Runs a method on 128 digits; a test image is seen as it is."""
    small = ("--set", "dataset.largest=24", "--set", "dataset.ratio=4", "--precision", "fp32")
    view = ("--inference", "multi_scale", "--set", "inference.scales=[1.0]")

    def run(method: str, *arguments: str) -> Finished:
        ended = cli("run", *small, *view, "--method", method, *arguments, "--json")
        assert ended.code == 0, ended.err
        folder = Path(ended.json["directory"])
        predictions = Predictions.read(next(folder.glob("predictions-*.parquet")))
        logits = np.take_along_axis(predictions.logits, predictions.classes.argsort(axis=1), axis=1)
        learned = load_file(folder / "learned.safetensors")
        return Finished(load_run(folder), torch.from_numpy(logits), learned)

    return run


@cache
def digits(split: str) -> tuple[Tensor, Tensor]:
    """Normalised images (N, 3, 32, 32) and labels (N,)."""
    dataset = DIGITS_LT.build(DIGITS_LT.config(largest=24, ratio=4), DataContext(Path(), 0))
    images: Any = dataset.splits[split].images
    pixels = torch.from_numpy(images.pixels).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(v)[:, None, None] for v in (clip_tiny.MEAN, clip_tiny.STD))
    return (pixels - mean) / std, torch.from_numpy(dataset.splits[split].labels)


@cache
def clip() -> Any:
    """open_clip's own model."""
    import open_clip

    model = open_clip.CLIP(**clip_tiny.ARCHITECTURE)
    model.load_state_dict(load_file(clip_tiny.WEIGHTS))
    return model.eval()


@torch.no_grad()
def encoded(split: str, joint: bool = False) -> Tensor:
    """open_clip's features, (N, 128), or in the space shared with the text, (N, 64)."""
    visual = copy.deepcopy(clip().visual)
    if not joint:
        visual.proj = None
    found: Tensor = visual(digits(split)[0])
    return found


@torch.no_grad()
def texts() -> Tensor:
    """open_clip's unit features of the class names, (10, 64)."""
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    tokens = clip_tiny.tokenize([f"a photo of a {name}." for name in names])
    return F.normalize(clip().encode_text(tokens), dim=1)


@torch.no_grad()
def cosines(left: Tensor, right: Tensor) -> Tensor:
    return F.normalize(left, dim=1) @ F.normalize(right, dim=1).T


def zero_shot() -> Tensor:
    scale = float(clip().logit_scale.detach().exp())
    return scale * cosines(encoded("test", joint=True), texts())


def tip_adapter() -> Tensor:
    labels = digits("train")[1]
    drawn = torch.from_numpy(sample_per_class(0, labels.numpy(), labels.bincount().numpy(), 16))
    keys = encoded("train", joint=True)[drawn]
    votes = torch.exp(-5.5 * (1 - cosines(encoded("test", joint=True), keys)))
    return zero_shot() + votes @ F.one_hot(labels[drawn], 10).float()


def ncm() -> Tensor:
    unit, labels = F.normalize(encoded("train"), dim=1), digits("train")[1]
    means = torch.stack([unit[labels == k].mean(dim=0) for k in range(10)])
    return 25 * cosines(encoded("test"), means)


@value_of("method", "zero_shot", "tip_adapter", "ncm")
@pytest.mark.parametrize("expected", [zero_shot, tip_adapter, ncm])
def test_a_whole_run_without_training_by_hand(run: Run, expected: Callable[[], Tensor]) -> None:
    found = run(expected.__name__)
    assert parity.relative(found.logits, expected()) < 1e-4
    assert found.result.training.epochs == 0


@value_of("method", "linear_probe")
def test_linear_probe_is_the_logistic_regression_of_scikit_learn(run: Run) -> None:
    theirs = LogisticRegression(C=0.316, max_iter=1000)
    theirs.fit(encoded("train").numpy(), digits("train")[1].numpy())
    expected = theirs.predict_proba(encoded("test").numpy())
    assert np.allclose(run("linear_probe").logits.softmax(dim=1).numpy(), expected, atol=1e-3)


@value_of("method", "coop", "tip_adapter_f", "clip_adapter", "proj_tuning")
@pytest.mark.parametrize(
    ("method", "options", "expected", "encoder", "head"),
    [
        ("coop", (), zero_shot, 0, len("a photo of a ") * 64),
        ("tip_adapter_f", (), tip_adapter, 0, (3 * 16 + 15 + 12 + 11 + 9 + 8 + 6 + 6) * 64),
        ("clip_adapter", ("--set", "method.ratio=0"), zero_shot, 64 * 16 + 16 * 64, 0),
        ("proj_tuning", (), zero_shot, 128 * 64, 0),
    ],
)
def test_where_a_method_starts_and_how_much_it_learns(
    run: Run,
    method: str,
    options: tuple[str, ...],
    expected: Callable[[], Tensor],
    encoder: int,
    head: int,
) -> None:
    found = run(method, *options, *STILL)
    assert parity.relative(found.logits, expected()) < 1e-4
    assert (found.result.learned.encoder, found.result.learned.head) == (encoder, head)


@pytest.mark.full
@value_of("method", "wise_ft")
def test_wise_ft_is_half_way_from_zero_shot_to_fine_tuned(run: Run) -> None:
    before, half, after = (
        run("wise_ft", *ONE_EPOCH, "--lr", "0.01", "--set", f"refinement.alpha={alpha}")
        for alpha in (0, 0.5, 1)
    )
    assert parity.relative(before.logits, zero_shot()) < 1e-4
    assert parity.relative(after.logits, zero_shot()) > 1e-2
    assert torch.allclose(before.learned["head.weight"], texts(), atol=1e-6)
    for name, weight in half.learned.items():
        assert torch.allclose(weight, (before.learned[name] + after.learned[name]) / 2, atol=1e-6)


@pytest.mark.full
@value_of("method", "soup")
def test_soup_is_the_mean_of_fine_tunings_with_the_next_seeds(run: Run) -> None:
    soup = run("soup", *ONE_EPOCH, "--set", "refinement.members=2")
    one, two = (run("full", *ONE_EPOCH, "--seed", seed) for seed in "01")
    assert not torch.equal(one.learned["head.weight"], two.learned["head.weight"])
    for name, weight in soup.learned.items():
        assert torch.allclose(weight, (one.learned[name] + two.learned[name]) / 2, atol=1e-6)


def decoupled(run: Run, method: str, *options: str) -> tuple[Finished, Finished]:
    """A method of decoupled training, and what it started from: the encoders are the same."""
    first = run("full", "--head", "linear", "--loss", "ce", *ONE_EPOCH)
    found = run(method, *ONE_EPOCH, *options)
    assert found.learned.keys() == first.learned.keys()
    for name in found.learned:
        same = torch.equal(found.learned[name], first.learned[name])
        assert same == name.startswith("backbone."), name
    return found, first


@value_of("method", "tau_norm")
def test_tau_norm_divides_what_full_learned(run: Run) -> None:
    found, first = decoupled(run, "tau_norm")
    weight = first.learned["head.weight"]
    expected = weight / weight.norm(dim=1, keepdim=True) ** 0.7
    assert torch.allclose(found.learned["head.weight"], expected)
    assert not found.learned["head.bias"].any()


@value_of("method", "lws")
def test_lws_multiplies_what_full_learned(run: Run) -> None:
    found, first = decoupled(run, "lws", "--set", "refinement.lr=0.1")
    factors = found.learned["head.bias"] / first.learned["head.bias"]
    assert (factors - 1).abs().min() > 1e-4
    expected = factors[:, None] * first.learned["head.weight"]
    assert torch.allclose(found.learned["head.weight"], expected, atol=1e-5)


@value_of("method", "crt")
def test_crt_starts_the_head_of_full_again(run: Run) -> None:
    found, _ = decoupled(run, "crt", "--set", "refinement.lr=1e-12")
    projection = clip().visual.proj.detach()
    expected = F.normalize(texts() @ projection.T, dim=1)
    assert torch.allclose(found.learned["head.weight"], expected, atol=1e-6)
    assert found.learned["head.bias"].abs().max() < 1e-9


@value_of("method", "full", "classifier_only")
def test_what_is_learned_of_a_backbone(run: Run) -> None:
    """Of 6 blocks of width 128: 2 norms, qkv, out and the MLP; of the head 10 x 128."""
    block = 2 * 2 * 128 + 128 * 384 + 384 + 128 * 128 + 128 + 2 * 128 * 512 + 512 + 128
    for method, options, encoder in (
        ("full", (), 6 * block),
        ("full", ("--set", "method.layers=2"), 2 * block),
        ("classifier_only", (), 0),
    ):
        learned = run(method, *options, "--epochs", "0").result.learned
        assert (learned.encoder, learned.head) == (encoder, 1280)
