from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ltbench.config.resolve import resolve
from ltbench.contexts import BackboneContext
from ltbench.engine.building.builder import build_run
from ltbench.engine.run import RuntimeConfig
from ltbench.errors import ConfigError, NothingMatchedError
from ltbench.registry.registry import Registry
from ltbench_plugins.backbones import clip_tiny, open_clip, timm
from ltbench_plugins.backbones.named import NamedConfig
from ltbench_plugins.methods.adaptformer import AdaptFormer, AdaptFormerConfig
from ltbench_plugins.modules.families import OPEN_CLIP_BLOCK, TIMM_BLOCK
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

CTX = BackboneContext(seed=0)
SPECS = specs_of("backbone")
OPENAI = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
NAMED = {
    "clip_vit_b16": ("ViT-B-16-quickgelu openai", 224, OPENAI),
    "clip_vit_b32": ("ViT-B-32-quickgelu openai", 224, OPENAI),
    "clip_vit_l14": ("ViT-L-14-quickgelu openai", 224, OPENAI),
    "clip_vit_l14_336": ("ViT-L-14-336-quickgelu openai", 336, OPENAI),
    "clip_rn50": ("RN50-quickgelu openai", 224, OPENAI),
    "clip_rn101": ("RN101-quickgelu openai", 224, OPENAI),
    "in21k_vit_b16": ("vit_base_patch16_224.augreg_in21k_ft_in1k", 224, HALF),
    "in21k_vit_b16_384": ("vit_base_patch16_384.augreg_in21k_ft_in1k", 384, HALF),
    "in21k_vit_l16": ("vit_large_patch16_224.augreg_in21k_ft_in1k", 224, HALF),
    "in21k_vit_l16_384": ("vit_large_patch16_384.augreg_in21k_ft_in1k", 384, HALF),
    "in1k_rn50": ("resnet50.tv_in1k", 224, IMAGENET),
    "in1k_rn101": ("resnet101.tv_in1k", 224, IMAGENET),
    "in1k_rn152": ("resnet152.tv_in1k", 224, IMAGENET),
    "siglip2_vit_b16": ("ViT-B-16-SigLIP2 webli", 224, HALF),
    "siglip2_vit_l16_256": ("ViT-L-16-SigLIP2-256 webli", 256, HALF),
    "eva02_clip_vit_b16": ("EVA02-B-16 merged2b_s8b_b131k", 224, OPENAI),
    "eva02_clip_vit_l14": ("EVA02-L-14 merged2b_s4b_b131k", 224, OPENAI),
    "metaclip_vit_b16": ("ViT-B-16-quickgelu metaclip_fullcc", 224, OPENAI),
    "metaclip_vit_l14": ("ViT-L-14-quickgelu metaclip_fullcc", 224, OPENAI),
    "dinov2_vit_b14": ("vit_base_patch14_dinov2.lvd142m", 518, IMAGENET),
    "dinov2_vit_l14": ("vit_large_patch14_dinov2.lvd142m", 518, IMAGENET),
    "dinov3_vit_b16": ("vit_base_patch16_dinov3.lvd1689m", 256, IMAGENET),
    "dinov3_vit_l16": ("vit_large_patch16_dinov3.lvd1689m", 256, IMAGENET),
}


def chosen(name: str) -> Any:
    """The config of `open_clip` or `timm` that a name stands for."""
    return SPECS[name].build.__self__.config(NamedConfig())  # type: ignore[attr-defined]


def stored(model: torch.nn.Module, path: Path) -> Path:
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    return path


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


@pytest.fixture
def tiny_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small model that open_clip knows, with tags as its own models have them."""
    from open_clip import factory, pretrained

    name = "ViT-tiny"
    sizes = {key: clip_tiny.ARCHITECTURE[key] for key in ("embed_dim", "vision_cfg", "text_cfg")}
    sizes["text_cfg"] = {**clip_tiny.ARCHITECTURE["text_cfg"], "vocab_size": 49408}
    monkeypatch.setitem(factory._MODEL_CONFIGS, name, sizes)
    tags = {"openai": pretrained._pcfg("url", quick_gelu=True), "laion": pretrained._pcfg("url")}
    monkeypatch.setitem(pretrained._PRETRAINED, name, tags)
    return name


@value_of("backbone", "open_clip")
@pytest.mark.parametrize(("tag", "quick"), [("openai", True), ("laion", False), (None, False)])
def test_the_activation_of_a_file_is_that_of_its_tag(
    tiny_clip: str, tmp_path: Path, tag: str | None, quick: bool
) -> None:
    import open_clip as library

    torch.manual_seed(3)
    theirs = library.create_model(tiny_clip, pretrained_text=False, quick_gelu=quick).eval()
    path = stored(theirs, tmp_path / "weights.safetensors")
    ours = open_clip.build(open_clip.OpenClipConfig(tiny_clip, tag, path), CTX).eval()
    ours.project()
    images = torch.randn(2, 3, 32, 32)
    tokens = library.get_tokenizer("ViT-B-32")(["a dog", "a cat"])[:, :40]
    assert ours.text is not None
    with torch.no_grad():
        assert parity.relative(ours(images), theirs.encode_image(images)) < 1e-5
        texts = theirs.encode_text(tokens, normalize=True)
        assert parity.relative(ours.text(tokens), texts) < 1e-5
    told = " ".join(ours.warnings)
    assert ("built with the activation QuickGELU" in told) is quick
    assert ("backbone.tag=none" in told) is quick


def test_the_result_tells_of_an_activation_that_the_name_does_not_say(
    tiny_clip: str, tmp_path: Path, registry: Registry
) -> None:
    import open_clip as library

    theirs = library.create_model(tiny_clip, pretrained_text=False)
    settings = {
        "backbone": "open_clip",
        "backbone.model": tiny_clip,
        "backbone.weights": str(stored(theirs, tmp_path / "weights.safetensors")),
        "method": "classifier_only",
        "init": "random",
        "precision": "fp32",
    }
    resolved = resolve(registry, settings, tmp_path)
    told = build_run(
        resolved, RuntimeConfig(tmp_path, "cpu", 0).loader_config(resolved.spec)
    ).warnings
    assert any("ViT-tiny was built with the activation QuickGELU" in warning for warning in told)
    settings["backbone.tag"] = None
    resolved = resolve(registry, settings, tmp_path)
    assert not build_run(
        resolved, RuntimeConfig(tmp_path, "cpu", 0).loader_config(resolved.spec)
    ).warnings


def test_a_tag_says_which_activation_its_weights_need() -> None:
    """Of all models and tags of the library; a tag that says nothing leaves the model's own."""
    import open_clip as library

    for model, tag in library.list_pretrained():
        quick = bool(library.get_pretrained_cfg(model, tag).get("quick_gelu"))
        own = bool(library.get_model_config(model).get("quick_gelu"))
        told = open_clip._warnings(open_clip.OpenClipConfig(model, tag), quick)
        assert bool(told) is (quick and not own), (model, tag)
        if model == "ViT-B-32" and tag == "openai":
            assert told
            assert "backbone.tag" not in told[0], "it is no file"


@pytest.mark.parametrize("name", [name for name in NAMED if hasattr(chosen(name), "tag")])
def test_backbones_by_name_have_the_activation_of_their_tag(name: str) -> None:
    import open_clip as library

    config = chosen(name)
    quick = bool(library.get_pretrained_cfg(config.model, config.tag).get("quick_gelu"))
    assert not open_clip._warnings(config, quick)


@value_of("backbone", *NAMED)
@pytest.mark.parametrize("name", NAMED)
def test_names_stand_for_weights_that_the_libraries_have(name: str) -> None:
    import open_clip as clip_library
    import timm as timm_library

    weights, resolution, normalisation = NAMED[name]
    config = chosen(name)
    if " " in weights:
        model, tag = weights.split()
        assert (config.model, config.tag) == (model, tag)
        assert tag in clip_library.list_pretrained_tags_by_model(model)
        published = clip_library.get_pretrained_cfg(model, tag)
        assert published["hf_hub"], "only a web address, where there may be no safetensors"
        config_of_model = clip_library.get_model_config(model)
        # Weights and architecture must agree on the activation.
        assert published.get("quick_gelu", False) == config_of_model.get("quick_gelu", False)
        assert config_of_model["vision_cfg"]["image_size"] == resolution
        assert (published["mean"], published["std"]) == normalisation
        assert SPECS[name].recipe.settings == {"init": "semantic"}
        assert SPECS[name].identity(NamedConfig()) == f"tag:{tag}"
    else:
        assert config.model == weights
        assert weights in timm_library.list_pretrained()
        published = timm_library.get_pretrained_cfg(weights)
        assert published.input_size == (3, resolution, resolution)
        assert (published.mean, published.std) == normalisation
        assert SPECS[name].identity(NamedConfig()) == f"tag:{weights}"
    assert SPECS[name].examples == ()


def test_every_name_has_its_values() -> None:
    others = {
        "clip_tiny",
        "in1k_efficientnet_lite0",
        "open_clip",
        "timm",
    }  # with tests of their own
    assert {*NAMED, *others} == SPECS.keys()


@pytest.mark.parametrize("name", NAMED)
def test_only_weights_fine_tuned_on_imagenet_1k_saw_its_labels(name: str) -> None:
    seen = ("imagenet_1k",) if name.startswith("in") else ()
    assert SPECS[name].label_sets(NamedConfig()) == seen


@pytest.mark.parametrize(
    ("model", "pretrained", "seen"),
    [
        ("vit_base_patch16_224.augreg_in21k", True, ()),
        ("vit_base_patch16_224", True, ("imagenet_1k",)),  # timm's default tag is fine-tuned
        ("vit_base_patch16_224", False, ()),
        ("eva02_base_patch14_448.mim_in22k_ft_in22k_in1k", True, ("imagenet_1k",)),
    ],
)
def test_timms_tags_say_which_labels_were_seen(
    model: str, pretrained: bool, seen: tuple[str, ...]
) -> None:
    config = timm.TimmConfig(model=model, pretrained=pretrained)
    assert SPECS["timm"].label_sets(config) == seen


@pytest.mark.slow
def test_clip_vit_b16_is_open_clips_model(tmp_path: Path) -> None:
    import open_clip as library

    torch.manual_seed(3)
    theirs = library.create_model("ViT-B-16-quickgelu", pretrained_text=False).eval()
    path = stored(theirs, tmp_path / "weights.safetensors")
    ours = SPECS["clip_vit_b16"].build(NamedConfig(path), CTX).eval()
    assert (ours.width, ours.resolution, len(ours.blocks)) == (768, 224, 12)
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        projected = ours(images) @ ours.projection
        assert parity.relative(projected, theirs.encode_image(images)) < 1e-4


def test_in1k_rn50_is_timms_model(tmp_path: Path) -> None:
    import timm as library

    torch.manual_seed(3)
    theirs = library.create_model("resnet50", num_classes=1000).eval()
    path = stored(theirs, tmp_path / "weights.safetensors")
    ours = SPECS["in1k_rn50"].build(NamedConfig(path), CTX).eval()
    assert (ours.width, ours.resolution, len(ours.blocks)) == (2048, 224, 16)
    assert parity.relative(ours.mean.flatten() / 255, torch.tensor(IMAGENET[0])) < 1e-6
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        features = theirs.forward_head(theirs.forward_features(images), pre_logits=True)
        assert parity.relative(ours(images), features) < 1e-5


def test_dinov3_has_the_class_token_as_its_feature() -> None:
    config = chosen("dinov3_vit_b16")
    assert config.pool == "token"
    small = timm.TimmConfig("test_vit", pretrained=False, pool="token")
    ours = timm.build(small, CTX).eval()
    ours.compute_all_tokens()
    images = torch.randn(1, 3, ours.resolution, ours.resolution)
    with torch.no_grad():
        tokens = ours.model.forward_features(images)  # type: ignore[operator]
        assert torch.allclose(ours(images), tokens[:, 0], atol=1e-6)
        mean = timm.build(timm.TimmConfig("test_vit", pretrained=False, pool="avg"), CTX).eval()
        assert torch.allclose(mean(images), tokens[:, 1:].mean(dim=1), atol=1e-5)


def test_a_resnet_has_no_class_token() -> None:
    with pytest.raises(ConfigError, match="test_resnet cannot pool by 'token'"):
        timm.build(timm.TimmConfig("test_resnet", pretrained=False, pool="token"), CTX)


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
