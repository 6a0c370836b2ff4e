from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ltbench.errors import DataError, NothingMatchedError
from ltbench.specs import BackboneContext
from ltbench_plugins.backbones import clip_tiny, clip_vit_b16, open_clip, timm
from ltbench_plugins.methods.adaptformer import AdaptFormer, AdaptFormerConfig
from ltbench_plugins.modules.families import OPEN_CLIP_BLOCK, TIMM_BLOCK
from tests import parity
from tests.covered import value_of

CTX = BackboneContext(seed=0)


def test_clip_tiny_recognises_its_own_classes() -> None:
    backbone = clip_tiny.CLIP_TINY.build(clip_tiny.CLIP_TINY.config(), CTX)
    assert (backbone.width, backbone.resolution, len(backbone.blocks)) == (128, 32, 6)
    assert backbone.text is not None
    assert backbone.text.encode(["a photo of a zero."]).norm().item() == pytest.approx(1, abs=1e-4)
    assert clip_tiny.WEIGHTS.stat().st_size < 4_000_000


@value_of("backbone", "clip_tiny")
def test_clip_tiny_is_open_clips_model_of_these_weights() -> None:
    import open_clip as library

    theirs = library.CLIP(**clip_tiny.ARCHITECTURE).eval()
    theirs.load_state_dict(load_file(clip_tiny.WEIGHTS))
    ours = clip_tiny.build(clip_tiny.CLIP_TINY.config(), CTX).eval()
    ours.project()
    pixels = torch.arange(3 * 3 * 32 * 32).remainder(251).view(3, 3, 32, 32).to(torch.uint8)
    mean, std = (torch.tensor(v)[:, None, None] for v in (clip_tiny.MEAN, clip_tiny.STD))
    tokens = clip_tiny.tokenize(["a photo of a zero.", "seven"])
    assert ours.text is not None
    with torch.no_grad():
        expected = theirs.encode_image((pixels / 255 - mean) / std)
        assert parity.relative(ours(ours.normalize(pixels)), expected) < 1e-5
        texts = theirs.encode_text(tokens, normalize=True)
        assert parity.relative(ours.text(tokens), texts) < 1e-5
        assert ours.logit_scale == pytest.approx(theirs.logit_scale.exp().item())


def test_long_texts_are_cut() -> None:
    tokens = clip_tiny.tokenize(["x" * 100, "é"])
    assert tokens.shape == (2, 40)
    assert tokens[0, -1] == 258
    assert tokens[1].tolist()[:5] == [257, 0xC3 + 1, 0xA9 + 1, 258, 0]


def test_attention_with_linears_equals_the_original() -> None:
    import open_clip as library

    torch.manual_seed(0)
    vision = {"image_size": 32, "patch_size": 8, "width": 64, "layers": 2, "head_width": 32}
    text = {"context_length": 8, "vocab_size": 259, "width": 32, "heads": 2, "layers": 1}
    model = library.CLIP(embed_dim=16, vision_cfg=vision, text_cfg=text).eval()
    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        expected = model.encode_image(images)
        from ltbench_plugins.modules.families import clip_backbone

        backbone = clip_backbone(model, clip_tiny.tokenize, 32, (0.5,) * 3, (0.5,) * 3)
        backbone.project()
        assert parity.relative(backbone(images), expected) < 1e-5
    assert set(backbone.blocks[0].paths) == set(OPEN_CLIP_BLOCK)


@value_of("backbone", "timm")
def test_timm_takes_local_weights_with_their_classifier(tmp_path: Path) -> None:
    import timm as library

    torch.manual_seed(1)
    theirs = library.create_model("test_vit", num_classes=1000).eval()
    path = tmp_path / "weights.safetensors"
    save_file(theirs.state_dict(), path)
    ours = timm.build(timm.TimmConfig(model="test_vit", weights=path), CTX).eval()
    images = torch.randn(2, 3, ours.resolution, ours.resolution)
    with torch.no_grad():
        features = theirs.forward_head(theirs.forward_features(images), pre_logits=True)
        assert torch.allclose(ours(images), features, atol=1e-5)
    assert set(ours.blocks[0].paths) <= set(TIMM_BLOCK)
    assert "qkv" in ours.blocks[0].paths


@value_of("backbone", "open_clip")
def test_open_clip_takes_local_weights(tmp_path: Path) -> None:
    config = open_clip.OpenClipConfig(model="ViT-S-32", tag=None)
    path = tmp_path / "weights.safetensors"
    import open_clip as library

    torch.manual_seed(3)
    theirs = library.create_model("ViT-S-32", pretrained_text=False).eval()
    save_file({k: v.contiguous() for k, v in theirs.state_dict().items()}, path)
    ours = open_clip.build(open_clip.OpenClipConfig("ViT-S-32", None, path), CTX).eval()
    ours.project()
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert parity.relative(ours(images), theirs.encode_image(images)) < 1e-4
    assert open_clip.identity(config) != open_clip.identity(
        open_clip.OpenClipConfig("ViT-S-32", None, path)
    )


@pytest.mark.slow
@value_of("backbone", "clip_vit_b16")
def test_clip_vit_b16_is_open_clips_model(tmp_path: Path) -> None:
    import open_clip as library

    torch.manual_seed(3)
    theirs = library.create_model("ViT-B-16-quickgelu", pretrained_text=False).eval()
    path = tmp_path / "weights.safetensors"
    save_file({k: v.contiguous() for k, v in theirs.state_dict().items()}, path)
    ours = clip_vit_b16.build(clip_vit_b16.ClipConfig(path), CTX).eval()
    assert (ours.width, ours.resolution, len(ours.blocks)) == (768, 224, 12)
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        projected = ours(images) @ ours.projection
        assert parity.relative(projected, theirs.encode_image(images)) < 1e-4


def test_clip_vit_b16_has_the_weights_of_openai() -> None:
    assert clip_vit_b16.identity(clip_vit_b16.ClipConfig()) == "tag:openai"


@pytest.mark.parametrize("content", ["", "text", "cos\nsystem\n(S'touch {trap}'\ntR."])
def test_what_is_no_weights_is_refused_and_never_run(tmp_path: Path, content: str) -> None:
    path, trap = tmp_path / "weights.pt", tmp_path / "trap"
    path.write_text(content.format(trap=trap))
    with pytest.raises(DataError, match=r"weights\.pt does not hold weights"):
        timm.build(timm.TimmConfig(model="test_vit", weights=path), CTX)
    with pytest.raises(DataError, match=r"weights\.pt does not hold weights"):
        open_clip.build(open_clip.OpenClipConfig("ViT-S-32", None, path), CTX)
    assert not trap.exists()


def test_models_without_transformer_blocks_say_so() -> None:
    resnet = parity.timm_resnet()
    with pytest.raises(NothingMatchedError, match="have no mlp_in"):
        AdaptFormer(10, AdaptFormerConfig()).apply(resnet)
    assert len(resnet.blocks) == 4


@pytest.mark.parametrize("make", [parity.clip_vit, parity.timm_vit])
def test_a_copy_with_adapters_is_independent(make: object) -> None:
    backbone = make()  # type: ignore[operator]
    learned = AdaptFormer(10, AdaptFormerConfig(dim=2)).apply(backbone)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        before = backbone(images)
        twin = copy.deepcopy(backbone)
        for parameter in learned:
            parameter.add_(0.1)
        assert torch.equal(twin(images), before)
        assert not torch.equal(backbone(images), before)
