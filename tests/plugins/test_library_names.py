"""Tensors of an encoder under the names that its library gives them."""

from __future__ import annotations

import copy

import pytest
import torch

from ltbench.backbone import Backbone
from ltbench_plugins.modules.families import timm_blocks
from ltbench_plugins.modules.library_names import open_clip_names, timm_names
from tests.plugins.test_families import CLIPS, PLAIN, clip, plain, small, whole_clip


@pytest.mark.parametrize("name", PLAIN)
def test_timm_gets_back_every_tensor(name: str) -> None:
    original = small(PLAIN[name]).state_dict()
    named = timm_names(plain(name).state_dict(), original)
    assert named.keys() == original.keys()
    assert all(torch.equal(named[key], original[key]) for key in original)


@pytest.mark.parametrize("name", CLIPS)
def test_open_clip_gets_back_every_tensor(name: str) -> None:
    original = whole_clip(name).state_dict()
    named = open_clip_names(clip(name).state_dict(), original)
    assert named.keys() == original.keys()
    assert all(torch.equal(named[key], original[key]) for key in original)


def test_open_clip_gets_back_its_fused_attention() -> None:
    import open_clip

    from ltbench_plugins.backbones.clip_tiny import ARCHITECTURE, tokenize
    from ltbench_plugins.modules.families import clip_backbone

    torch.manual_seed(0)
    whole = open_clip.CLIP(**ARCHITECTURE)
    original = copy.deepcopy(whole.state_dict())
    backbone = clip_backbone(whole, tokenize, 32, (0.5,) * 3, (0.5,) * 3)
    named = open_clip_names(backbone.state_dict(), original)
    assert named.keys() == original.keys()
    assert all(torch.equal(named[key], original[key]) for key in original)


def test_a_bias_of_the_keys_that_timm_lacks_keeps_its_name() -> None:
    model = small(PLAIN["eva02"])
    original = model.state_dict()
    timm_blocks(model)
    half = (0.5, 0.5, 0.5)
    backbone = Backbone(model, width=32, resolution=32, mean=half, std=half)
    with torch.no_grad():
        model.blocks[0].attn.qkv.bias.add_(1.0)
    named = timm_names(backbone.state_dict(), original)
    assert named.keys() - original.keys() == {"blocks.0.attn.qkv.bias"}
