"""Heads against the paper authors' own code, and by hand."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.errors import ConfigError
from ltbench_plugins.inits.semantic import SEMANTIC
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

SPECS = specs_of("head")
REFERENCES = {
    "cosine": "CosineClassifier",
    "l2norm": "L2NormClassifier",
    "layernorm": "LayerNormClassifier",
    "linear": "LinearClassifier",
}
NAMES = ["cat_fish", "dog", "x"]


def built(name: str, backbone: Backbone, **options: Any) -> Any:
    ctx = parity.context([1] * len(NAMES), backbone, NAMES)
    return SPECS[name].build(SPECS[name].config(**options), ctx)


@value_of("head", *REFERENCES)
@pytest.mark.parametrize("name", REFERENCES)
def test_logits_equal_the_reference(name: str) -> None:
    stored, reference = parity.values(), f"classifier/{REFERENCES[name]}"
    ctx = parity.context(parity.facts()["class_counts"], parity.clip_vit())
    spec = SPECS[name]
    head = spec.build(spec.config(), ctx)
    start = {"weight": stored["classifier/weight"]}
    if name == "linear":
        start["bias"] = stored[f"{reference}/bias"]
    head.load_state_dict(start)
    with torch.no_grad():
        logits = head(stored["classifier/features"])
    assert parity.relative(logits, stored[f"{reference}/logits"]) < 1e-4


def no_features(per_class: int | None = None) -> tuple[Tensor, Tensor]:
    raise AssertionError("prompts are made of names alone")


def joint_clip() -> Backbone:
    backbone = parity.clip_vit().requires_grad_(False)
    backbone.project()
    return backbone


def prompts(**options: Any) -> Any:
    backbone = joint_clip()
    head = built("prompts", backbone, **options)
    head.start(backbone, no_features)
    return head


def features(count: int = 4) -> Tensor:
    return torch.randn(count, 64, generator=torch.Generator().manual_seed(0))


@value_of("head", "prompts")
@pytest.mark.parametrize("context", ["a photo of a", "drawn"])
def test_prompts_start_as_the_semantic_initialisation(context: str) -> None:
    backbone = joint_clip()
    cosine = built("cosine", backbone, scale=None)
    ctx = parity.context([1] * 3, backbone, NAMES)
    semantic = SEMANTIC.build(SEMANTIC.config(template=f"{context} {{}}."), ctx)
    cosine.weight.data = semantic(backbone, no_features)
    head = prompts(context=context)
    assert head.context.shape == (len(context) + 1, 64)  # bytes, with the space behind
    with torch.no_grad():
        assert parity.relative(head(features()), cosine(features())) < 1e-5


def encodings(head: Any) -> list[int]:
    """How many texts the text tower encodes from now on, call by call."""
    seen: list[int] = []
    head.text.encoder.register_forward_hook(lambda module, args, output: seen.append(len(output)))
    return seen


def test_text_is_encoded_once_until_the_context_changes() -> None:
    head = prompts()
    seen = encodings(head)
    with torch.inference_mode():
        first = head(features())
        assert torch.equal(head(features()), first)
    with torch.no_grad():
        assert torch.equal(head(features()), first)
        assert seen == [3]
        head.context.mul_(2)  # as a checkpoint or a refinement writes
        assert not torch.allclose(head(features()), first)
        head(features())
    assert seen == [3, 3]


def test_text_is_encoded_again_after_a_step() -> None:
    head = prompts()
    optimizer = torch.optim.SGD([head.context], lr=1.0, momentum=0.9, fused=True)
    with torch.no_grad():
        before = head(features())
    for _ in range(2):
        head(features()).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            after = head(features())
        assert not torch.allclose(after, before)
        seen = encodings(head)
        with torch.no_grad():
            assert torch.equal(head(features()), after)
        assert seen == []
        before = after


def test_the_context_alone_is_learned() -> None:
    head = prompts()
    assert [name for name, p in head.named_parameters() if p.requires_grad] == ["context"]
    head(features())[:, 0].sum().backward()
    assert head.context.grad.norm() > 0
    assert [name for name, p in head.named_parameters() if p.grad is not None] == ["context"]


def test_a_copy_has_its_own_prompts() -> None:
    head = prompts()
    with torch.no_grad():
        before = head(features())
        twin = copy.deepcopy(head)
        head.context.mul_(2)
        assert torch.equal(twin(features()), before)
        twin.context.mul_(4)
        assert not torch.allclose(twin(features()), head(features()))
        head.context.mul_(2)
        assert torch.equal(twin(features()), head(features()))


def test_prompts_need_a_text_tower_and_its_space() -> None:
    with pytest.raises(ConfigError, match="a backbone with a text tower"):
        built("prompts", parity.timm_vit())
    with pytest.raises(ConfigError, match="a context of at least one word"):
        built("prompts", joint_clip(), context=" ")
    with pytest.raises(ConfigError, match="no text tower"):
        built("prompts", joint_clip()).start(parity.timm_vit(), no_features)
    with pytest.raises(ConfigError, match="in the space of images and texts") as raised:
        built("prompts", joint_clip()).start(parity.clip_vit(), no_features)
    assert raised.value.hint == "choose --method coop"


KEYS = torch.tensor([[0.0, 5.0], [3.0, 4.0], [0.0, -1.0]])


def cache(keys: Tensor = KEYS, labels: tuple[int, ...] = (0, 1, 1), **options: Any) -> Any:
    backbone = joint_clip()
    backbone.width = 2
    head = built("cache", backbone, scale=10.0, **options)
    head.weight.copy_(torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    head.start(backbone, lambda per_class: (keys[:per_class], torch.tensor(labels[:per_class])))
    return head


@value_of("head", "cache")
@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.5])
def test_cache_adds_votes_to_the_cosine_logits(alpha: float) -> None:
    head = cache(alpha=alpha, beta=2.0)
    x = torch.tensor([[0.0, 7.0]])
    votes = [math.exp(-2 * (1 - cosine)) for cosine in (1.0, 0.8, -1.0)]
    expected = [alpha * votes[0], 10 + alpha * (votes[1] + votes[2]), 0]
    assert head(x)[0].tolist() == pytest.approx(expected)


def test_the_cache_is_as_large_as_asked_and_its_keys_are_learned() -> None:
    assert len(cache(per_class=2).keys) == 2
    head = cache()
    assert torch.allclose(head.keys.norm(dim=1), torch.ones(3))
    assert [name for name, p in head.named_parameters() if p.requires_grad] == ["keys"]
    head(torch.tensor([[1.0, 2.0]])).square().sum().backward()
    assert head.keys.grad.norm() > 0
    assert torch.equal(KEYS[1], torch.tensor([3.0, 4.0]))  # the features are not changed


def test_a_cache_takes_the_scale_of_the_backbone() -> None:
    assert built("cache", joint_clip()).scale == joint_clip().logit_scale
    with pytest.raises(ConfigError, match="uses the backbone's logit scale"):
        built("cache", parity.timm_vit())


def planar(*odds: float) -> Tensor:
    """Features in the plane whose cosines to both axes, times 10, have these odds of the first."""
    angles = [math.acos(math.log(one) / 10 / 2**0.5) - math.pi / 4 for one in odds]
    return 3 * torch.tensor([[math.cos(angle), math.sin(angle)] for angle in angles])


@value_of("head", "gla")
def test_gla_adds_the_zero_shot_classifier_without_its_bias() -> None:
    backbone = joint_clip()
    backbone.width, backbone.logit_scale = 2, 10.0
    ctx = parity.context([3, 1, 0], backbone)
    head = SPECS["gla"].build(SPECS["gla"].config(scale=5.0), ctx)
    asked = []

    def features(per_class: int | None = None) -> tuple[Tensor, Tensor]:
        asked.append(per_class)
        return planar(4, 4, 4, 1.5), torch.tensor([0, 0, 0, 1])

    with torch.no_grad():
        head.weight.copy_(torch.tensor([[2.0, 0.0], [0.0, 7.0], [-1.0, 0.0]]))
    head.start(backbone, features)
    assert asked == [100]
    # Both classes count the same: with a ratio r of the biases, 4 / (4 + r) + 1.5 / (1.5 + r) = 1.
    bias = math.log(6**0.5) / 2
    assert head.log_bias.tolist() == pytest.approx([bias, -bias, 0], abs=1e-3)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
        x = torch.tensor([[3.0, 4.0]])
        assert head.train()(x)[0].tolist() == pytest.approx([4, 3, 4])
        added = [6 - bias, 8 + bias, -6]
        assert head.eval()(x)[0].tolist() == pytest.approx(
            [one + other for one, other in zip([4, 3, 4], added, strict=True)], abs=1e-3
        )
    assert [name for name, p in head.named_parameters() if p.requires_grad] == ["weight"]
    with pytest.raises(ConfigError, match="uses the backbone's logit scale"):
        built("gla", parity.timm_vit())
