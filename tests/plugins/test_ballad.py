"""The parts of BALLAD: a head with a learned text tower, and its linear adapter."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone
from ltbench.errors import ConfigError
from ltbench_plugins.heads.text_tower import TEXT_TOWER
from ltbench_plugins.inits.semantic import SEMANTIC
from ltbench_plugins.methods.ballad import BALLAD
from ltbench_plugins.modules.linear_adapter import LinearAdapter
from ltbench_plugins.refinements.linear_adapter import LINEAR_ADAPTER
from tests import parity
from tests.covered import value_of
from tests.plugins.test_heads import NAMES, encodings, features, joint_clip, no_features
from tests.plugins.test_refinements import ENCODER, Trained, refinement


def head_of(backbone: Backbone, **options: Any) -> Any:
    ctx = parity.context([1] * len(NAMES), backbone, NAMES)
    head = TEXT_TOWER.build(TEXT_TOWER.config(**options), ctx)
    head.start(backbone, no_features)
    return head


def class_texts(backbone: Backbone, template: str) -> Tensor:
    ctx = parity.context([1] * len(NAMES), backbone, NAMES)
    return SEMANTIC.build(SEMANTIC.config(template=template), ctx)(backbone, no_features)


@value_of("head", "text_tower")
def test_logits_are_cosines_of_adapted_features_and_texts() -> None:
    backbone = joint_clip()
    head = head_of(backbone, template="a {}", scale=10.0, ratio=0.25)
    x, t = features(), class_texts(backbone, "a {}")
    with torch.no_grad():
        assert parity.relative(head(x), 10 * F.normalize(x, dim=1) @ t.T) < 1e-5
        head.adapter.weight.copy_(torch.eye(64).roll(1, dims=0))  # W x = x, moved by one place
        mixed = 0.25 * x.roll(1, dims=1) + 0.75 * x
        assert parity.relative(head(x), 10 * F.normalize(mixed, dim=1) @ t.T) < 1e-5


@value_of("refinement", "linear_adapter")
def test_the_adapter_by_hand() -> None:
    adapter = LinearAdapter(2, 0.25)
    x = torch.tensor([[1.0, 2.0]])
    assert adapter(x).tolist() == [[1.0, 2.0]]
    with torch.no_grad():
        adapter.weight.copy_(torch.tensor([[0.0, 1.0], [2.0, 0.0]]))
    assert adapter(x).tolist() == [[0.25 * 2 + 0.75 * 1, 0.25 * 2 + 0.75 * 2]]


def test_the_adapter_starts_at_random_and_is_learned_balanced() -> None:
    head = nn.Module()
    head.adapter = LinearAdapter(4, 0.2)
    training = Trained({}, step=lambda parameter, seed_offset: 1)
    refinement("linear_adapter", 3, lr=0.5, epochs=7).refine(ENCODER, head, training)
    (asked,) = training.asked
    (start,) = asked["start"]
    assert 0.1 < start.abs().max() <= 0.5  # 1 / sqrt(4)
    assert start.unique().numel() == 16
    assert torch.equal(head.adapter.weight, start + 1)
    assert (asked["epochs"], asked["lr"], asked["sampling_weights"].tolist()) == (7, 0.5, [1] * 3)


def test_a_head_without_adapter_is_an_error() -> None:
    with pytest.raises(ConfigError, match="needs a head with an adapter"):
        refinement("linear_adapter").check(nn.Module(), {})
    assert LINEAR_ADAPTER.name == BALLAD.fixed["refinement"]


def test_the_tower_is_a_learned_copy_and_is_encoded_again_after_a_step() -> None:
    backbone = joint_clip()
    head = head_of(backbone)
    learned = {name: p for name, p in head.named_parameters() if p.requires_grad}
    assert "adapter.weight" not in learned
    assert not any("logit_scale" in name for name in learned)
    before = class_texts(backbone, "a photo of a {}.")
    optimizer = torch.optim.SGD(learned.values(), lr=0.1, momentum=0.9, fused=True)
    with torch.no_grad():
        first = head(features())
    head(features()).square().mean().backward()
    assert all(p.grad is not None for p in learned.values())
    optimizer.step()
    with torch.no_grad():
        assert not torch.allclose(head(features()), first)
    assert torch.equal(class_texts(backbone, "a photo of a {}."), before)  # of the backbone


def test_a_frozen_tower_is_encoded_once() -> None:
    head = head_of(joint_clip())
    for weight in head.text.parameters():
        weight.requires_grad_(False)
    seen = encodings(head)
    head.adapter.weight.requires_grad_(True)
    for _ in range(2):
        head(features()).sum().backward()
    with torch.inference_mode():
        first = head(features())
    assert seen == [3]
    twin = copy.deepcopy(head)
    with torch.no_grad():
        next(iter(head.text.parameters())).mul_(2)  # as stored weights are read
        assert not torch.allclose(head(features()), first)
        assert torch.equal(twin(features()), first)


def test_every_weight_of_the_image_encoder_is_learned() -> None:
    backbone = joint_clip()
    learned = BALLAD.build(BALLAD.config(), parity.context([1], backbone)).apply(backbone)
    assert {id(p) for p in learned} == {
        *(id(p) for p in backbone.model.parameters()),
        id(backbone.projection),
    }
    resnet = parity.timm_resnet()
    learned = BALLAD.build(BALLAD.config(), parity.context([1], resnet)).apply(resnet)
    assert len(learned) == len(list(resnet.model.parameters()))


def test_the_text_tower_needs_texts_and_their_space() -> None:
    for backbone in (parity.timm_vit(), parity.clip_vit()):
        with pytest.raises(ConfigError, match="the space that they share") as raised:
            head_of(backbone, scale=1.0)
        assert "--method ballad" in str(raised.value.hint)
    with pytest.raises(ConfigError, match="for the class name"):
        head_of(joint_clip(), template="a photo")
