"""Long-tailed prompt tuning: its tokens, its matching and its loss, worked out by hand."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone
from ltbench.errors import ConfigError, NothingMatchedError
from ltbench_plugins.methods.lpt import LPT
from ltbench_plugins.modules.dual_sampling_loss import DualSamplingLoss
from ltbench_plugins.modules.group_prompts import GroupMatching
from ltbench_plugins.modules.heads import CosineHead
from ltbench_plugins.refinements.group_prompts import GROUP_PROMPTS, dual_sampling
from tests import parity
from tests.covered import value_of
from tests.plugins.test_refinements import Trained

OPTIONS = {"length": 2, "groups": 3, "per_image": 2, "shared_blocks": 1}
IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def plain() -> Backbone:
    torch.manual_seed(0)
    return parity.narrow_vit(3).eval().requires_grad_(False)


def prompted(backbone: Backbone, *, stored: bool = False, **options: Any) -> Any:
    """The backbone's matching, with large prompts and keys, and the shared prompts."""
    ctx = replace(parity.context([3, 1], backbone), stored=stored)
    shared = LPT.build(LPT.config(**{**OPTIONS, **options}), ctx).apply(backbone)
    matching = backbone.get_submodule("lpt")
    assert isinstance(matching, GroupMatching)
    with torch.no_grad():
        for parameter in (*shared, *matching.weights()):
            parameter.normal_()
    return matching, shared


def by_hand(backbone: Backbone, prompts: list[list[Tensor]]) -> Tensor:
    """Features of the images, with prompts (n, width) or (B, n, width) for each block."""
    model: Any = backbone.model
    x = model.patch_embed(IMAGES)
    x = model.norm_pre(model.patch_drop(model._pos_embed(x)))
    for block, extra in zip(model.blocks, prompts, strict=True):
        more = [part.expand(len(x), -1, -1) for part in extra]
        inside = torch.cat([x[:, :1], *more, x[:, 1:]], dim=1)
        n = sum(part.shape[1] for part in more)
        out = block(inside)
        x = torch.cat([out[:, :1], out[:, 1 + n :]], dim=1)
    features: Tensor = model.norm(x)[:, 0]
    return features


@value_of("method", "lpt")
@torch.no_grad()
def test_features_of_both_phases_by_hand() -> None:
    backbone, reference = plain(), plain()
    matching, shared = prompted(backbone)
    query = by_hand(reference, [[p] for p in shared])
    assert torch.allclose(backbone(IMAGES), query, atol=1e-5)  # phase 1: shared prompts alone

    matching.active = True
    matching.keys.copy_((query - query.mean(dim=0))[:3])
    cosines = F.normalize(query, dim=1) @ F.normalize(matching.keys, dim=1).T
    chosen = cosines.argsort(dim=1, descending=True)[:, :2]
    assert chosen.unique(dim=0).shape[0] > 1  # the images differ in their groups
    groups = [prompt[chosen].mean(dim=1) for prompt in matching.weights()[1:]]
    expected = by_hand(reference, [[shared[0]], [groups[0], shared[1]], [groups[1], shared[2]]])
    assert torch.allclose(backbone(IMAGES), expected, atol=1e-5)
    assert not torch.allclose(expected, query, atol=1e-2)
    twin = copy.deepcopy(backbone)
    assert torch.equal(twin(IMAGES), backbone(IMAGES))


def test_a_stored_model_has_its_groups_and_half_of_the_blocks_by_default() -> None:
    matching, shared = prompted(plain(), stored=True, shared_blocks=None)
    assert matching.active
    assert [tuple(p.shape) for p in shared] == [(2, 8)] * 3
    keys, *prompts = matching.weights()
    assert keys.shape == (3, 8)
    assert [tuple(p.shape) for p in prompts] == [(3, 2, 8)] * 2  # behind the first 3 // 2
    assert not any(p.requires_grad for p in matching.weights())  # a refinement learns them


def test_rotary_attention_does_not_rotate_prompts_of_groups() -> None:
    backbone = plain()
    attention: Any = backbone.model.blocks[2].attn  # type: ignore[index, union-attr]
    attention.num_prefix_tokens = 1
    seen: list[int] = []
    matching, _ = prompted(backbone)
    attention.register_forward_pre_hook(lambda *_: seen.append(attention.num_prefix_tokens))
    matching.active = True
    backbone(IMAGES)
    assert seen == [3, 5]  # the query with shared prompts, then those of groups too
    assert attention.num_prefix_tokens == 3


def phase(counts: tuple[int, ...], backbone: Backbone, **options: Any) -> Any:
    ctx = replace(parity.context(list(counts), backbone), head_scale=20.0)
    return GROUP_PROMPTS.build(GROUP_PROMPTS.config(**options), ctx)


@value_of("refinement", "group_prompts")
@pytest.mark.parametrize("progress", [0.0, 0.5])
def test_dual_sampling_loss_by_hand(progress: float) -> None:
    backbone = plain()
    matching, shared = prompted(backbone)
    matching.active = True
    for weight in matching.weights():
        weight.requires_grad_(True)
    built = phase((3, 1), backbone, noise=0.0, margin=0.0, smoothing=0.0, instance_positive=1.0)
    # q = (1/2 + 1/2 * 3/4, 1/2 + 1/2 * 1/4) / 1.5; weights 1 / (2 q) and p / q
    q = [0.875 / 1.5, 0.625 / 1.5]
    drawn, *weights = dual_sampling((3, 1), 0.5)
    assert drawn.tolist() == pytest.approx(q)
    loss = DualSamplingLoss(built.config, built.ctx, matching, *weights)
    loss.start_epoch(progress)
    eta = 0.5 * (1 - progress)

    backbone(IMAGES)
    query = by_hand(plain(), [[p] for p in shared]).detach()
    cosines = F.normalize(query, dim=1) @ F.normalize(matching.keys, dim=1).T
    similar = cosines.sort(dim=1, descending=True).values[:, :2].sum(dim=1)
    labels, logits = [0, 1, 0, 0], [[1.0, 0.0], [0.5, 0.0], [-2.0, 1.0], [3.0, 0.0]]
    total = 0.0
    for y, z, r in zip(labels, logits, similar.tolist(), strict=True):
        p = math.exp(z[y]) / sum(map(math.exp, z))
        prior = (0.75, 0.25)[y]
        balanced, instance = -math.log(p), -(1 - p) * math.log(p)
        total += 0.5 / q[y] * (balanced - 0.5 * r) + eta * prior / q[y] * (instance - 0.5 * r)
    loss.set_extras(loss.take_extras())
    value = loss(torch.tensor(logits), torch.tensor(labels))
    assert value.item() == pytest.approx(total / 4, rel=1e-4)

    value.backward()
    factors = torch.tensor([(0.5 + eta * (0.75, 0.25)[y]) / q[y] for y in labels])
    (expected,) = torch.autograd.grad((-0.5 * factors * similar).mean(), [matching.keys])
    assert torch.allclose(matching.keys.grad, expected, atol=1e-6)


def test_a_class_without_images_is_not_drawn() -> None:
    drawn, balanced, instance = dual_sampling((3, 0, 1), 0.5)
    assert (drawn[1], balanced[1], instance[1]) == (0, 0, 0)
    assert drawn.sum() == pytest.approx(1)
    assert (drawn * balanced).tolist() == pytest.approx([0.5, 0, 0.5])
    assert (drawn * instance).tolist() == pytest.approx([0.75, 0, 0.25])


def test_the_second_phase_learns_groups_and_head() -> None:
    backbone, head = plain(), CosineHead(2, 8, 20.0)
    matching, shared = prompted(backbone)
    learned = {"backbone.model.blocks.0.lpt_shared.prompt": shared[0], "head.weight": head.weight}
    training = Trained(learned, step=lambda parameter, seed_offset: 0)
    refinement = phase((3, 1), backbone, epochs=4)
    refinement.check(head, learned)
    refinement.refine(backbone, head, training)
    assert matching.active
    (asked,) = training.asked
    expected = [*matching.weights(), head.weight]
    assert [tuple(p.shape) for p in asked["start"]] == [tuple(p.shape) for p in expected]
    assert asked["epochs"] == 4
    assert asked["sampling_weights"].tolist() == pytest.approx([0.875 / 1.5, 0.625 / 1.5])


def test_what_does_not_go_with_the_prompts_is_an_error() -> None:
    with pytest.raises(ConfigError, match="needs the prompts of method 'lpt'"):
        phase((3, 1), plain()).check(CosineHead(2, 8, 20.0), {"head.weight": nn.Parameter()})
    with pytest.raises(ConfigError, match="shared_blocks=3: the backbone has 3 blocks") as blocks:
        prompted(plain(), shared_blocks=3)
    assert blocks.value.hint.startswith("choose 0 to 2,")
    with pytest.raises(ConfigError, match=r"per_image=4: .* more groups than method\.groups=3"):
        prompted(plain(), per_image=4)
    with pytest.raises(NothingMatchedError):
        prompted(parity.timm_resnet())
