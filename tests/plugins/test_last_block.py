from __future__ import annotations

import copy
from typing import Any

import open_clip
import pytest
import timm
import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone, LastBlock
from ltbench.config.runspec import Precision
from ltbench.engine.model.precision import asked_for
from ltbench_plugins.backbones.clip_tiny import ARCHITECTURE, tokenize
from ltbench_plugins.modules.families import clip_backbone, timm_blocks
from ltbench_plugins.modules.last_block import OpenClipLastBlock, TimmLastBlock

HALF = (0.5, 0.5, 0.5)
IMAGES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).sin().view(2, 3, 32, 32)


def with_noise(model: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.1)
    return model.eval()


def open_clip_pair() -> tuple[nn.Module, nn.Module]:
    """A tower as open_clip makes it, and as ltbench has it."""
    clip: Any = with_noise(open_clip.CLIP(**ARCHITECTURE))
    plain = copy.deepcopy(clip.visual)
    plain.proj = None
    return plain, clip_backbone(clip, tokenize, 32, HALF, HALF).model


def timm_pair(**options: Any) -> tuple[nn.Module, nn.Module]:
    sizes = {"img_size": 32, "patch_size": 8}
    plain = with_noise(timm.create_model("test_vit", num_classes=0, **sizes, **options))
    ours = copy.deepcopy(plain)
    timm_blocks(ours)
    return plain, ours


def learned_from(model: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
    """Features, and every weight's gradient."""
    features = model(IMAGES)
    features.sin().sum().backward()
    return features, {k: p.grad for k, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("pair", [open_clip_pair, timm_pair])
@pytest.mark.parametrize("tokens", [8, None])
def test_features_and_gradients_are_the_plain_ones(pair: Any, tokens: int | None) -> None:
    plain, ours = pair()
    (last,) = [module for module in ours.modules() if isinstance(module, LastBlock)]
    last.tokens = tokens
    expected, slopes = learned_from(plain)
    found, ours_slopes = learned_from(ours)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    by_size = sorted(float(slope.norm()) for slope in slopes.values())
    # Attention's weights have other names here; none may be lost.
    assert sorted(float(slope.norm()) for slope in ours_slopes.values()) == pytest.approx(
        by_size, rel=1e-3
    )


@pytest.mark.parametrize(
    ("pair", "kind"), [(open_clip_pair, OpenClipLastBlock), (timm_pair, TimmLastBlock)]
)
def test_few_tokens_come_out_of_the_last_block_alone(pair: Any, kind: type[LastBlock]) -> None:
    _, ours = pair()
    backbone = Backbone(ours, width=1, resolution=32, mean=HALF, std=HALF)
    counts: list[int] = []
    (last,) = [module for module in ours.modules() if isinstance(module, LastBlock)]
    assert type(last) is kind
    last.get_submodule("mlp").register_forward_hook(
        lambda module, args, output: counts.append(output.shape[1])
    )
    backbone(IMAGES)
    backbone.compute_all_tokens()
    backbone(IMAGES)
    assert counts[0] == 8
    assert counts[1] > 16


def test_a_mean_of_all_tokens_reads_all_tokens() -> None:
    plain, ours = timm_pair(global_pool="avg")
    assert not any(isinstance(module, LastBlock) for module in ours.modules())
    assert torch.equal(ours(IMAGES), plain(IMAGES))


@pytest.mark.parametrize("pair", [open_clip_pair, timm_pair])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_one_image_has_the_bits_that_it_has_among_others(pair: Any, precision: Precision) -> None:
    """Features that are kept are those of any batch."""
    _, ours = pair()
    images = torch.linspace(-1, 1, 16 * 3 * 32 * 32).cos().view(16, 3, 32, 32)
    with torch.inference_mode(), asked_for(precision, torch.device("cpu")).autocast():
        together = ours(images)
        alone = torch.cat([ours(image[None]) for image in images])
    assert torch.equal(alone, together)
