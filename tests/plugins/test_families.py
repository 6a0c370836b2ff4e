"""The families of vision transformers, as small siblings with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.engine.building.builder import build_run
from ltbench.engine.building.built_run import BuiltRun
from ltbench.errors import NothingMatchedError
from ltbench.registry.component import PluginInfo
from ltbench.registry.registry import Registry
from ltbench.specs import BackboneSpec, NoOptions
from ltbench.testing.bench import Bench, take_steps
from ltbench_plugins.backbones.clip_tiny import tokenize
from ltbench_plugins.methods.vpt import PromptTuning, VptConfig
from ltbench_plugins.modules.families import TIMM_BLOCK, clip_backbone, output_width, timm_blocks
from tests import parity
from tests.tiers import all_but

PLAIN = {
    "dinov2": "vit_base_patch14_dinov2",
    "dinov3": "vit_base_patch16_dinov3",
    "dinov3_with_bias": "vit_base_patch16_dinov3_qkvb",
    "dinov3_swiglu": "vit_huge_plus_patch16_dinov3",
    "eva02": "eva02_tiny_patch14_224",
    "eva": "eva_giant_patch14_224",
}
CLIPS = {
    "siglip": "vit_base_patch16_siglip_224",
    "eva02_clip": "eva02_base_patch16_clip_224",
    "pe_core": "vit_pe_core_base_patch16_224",
}
METHODS = [
    *("lift_plus", "adapter", "lora", "vpt", "bitfit", "full", "ssf", "aft", "ln_tuning"),
    "classifier_only",
]
TEXT = {"context_length": 40, "vocab_size": 259, "width": 32, "heads": 2, "layers": 1}


def small(name: str, classes: int = 0, **options: Any) -> Any:
    import timm

    torch.manual_seed(0)
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2}
    model = timm.create_model(name, num_classes=classes, **sizes, **options).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def plain(name: str) -> Backbone:
    model = small(PLAIN[name])
    half = (0.5, 0.5, 0.5)
    width = output_width(model, 32)
    return Backbone(
        model, width=width, resolution=32, mean=half, std=half, blocks=timm_blocks(model)
    )


def whole_clip(name: str) -> Any:
    """open_clip's model of the family, with the logit bias that SigLIPs have."""
    import open_clip

    trunk = {"timm_model_name": "test_vit", "timm_pool": "map", "timm_proj": "none"}
    torch.manual_seed(1)
    model = open_clip.CustomTextCLIP(64, trunk, TEXT, init_logit_bias=-10)
    # SigLIP's features are pooled by attention; the others have a projection behind their pool.
    model.visual.trunk = small(CLIPS[name], classes=0 if name == "siglip" else 32)
    model.text.text_projection = torch.nn.Parameter(torch.randn(32, 32))
    return model.eval()


def clip(name: str) -> Backbone:
    half = (0.5, 0.5, 0.5)
    return clip_backbone(whole_clip(name), tokenize, resolution=32, mean=half, std=half)


BUILDERS = {**dict.fromkeys(PLAIN, plain), **dict.fromkeys(CLIPS, clip)}


def images() -> Tensor:
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def bench(registry: Registry) -> Bench:
    made = Bench.of(registry)
    for name, builder in BUILDERS.items():
        made.registry.add(
            BackboneSpec(
                name=name,
                summary="small",
                build=lambda config, ctx, name=name, builder=builder: builder(name),
                identity=lambda config: "random",
                config=NoOptions,
            ),
            PluginInfo("tests", __name__, "tests", "0"),
        )
    return made


def assembled(bench: Bench, **settings: Any) -> BuiltRun:
    resolved = bench.resolve(settings)
    return build_run(resolved, bench.runtime(Path()).loader_config(resolved.spec))


@pytest.mark.parametrize("name", PLAIN)
def test_features_are_the_librarys(name: str) -> None:
    with torch.no_grad():
        expected = small(PLAIN[name])(images())
        assert parity.relative(plain(name)(images()), expected) < 1e-5


@pytest.mark.parametrize("name", CLIPS)
def test_images_and_texts_are_open_clips(name: str) -> None:
    theirs, ours = whole_clip(name), clip(name)
    ours.project()
    assert ours.text is not None
    tokens = tokenize(["a photo of a zero.", "seven"])
    with torch.no_grad():
        assert parity.relative(ours(images()), theirs.encode_image(images())) < 1e-5
        expected = theirs.encode_text(tokens, normalize=True)
        assert parity.relative(ours.text(tokens), expected) < 1e-5
    assert ours.logit_scale == pytest.approx(theirs.logit_scale.exp().item())


@pytest.mark.parametrize("name", BUILDERS)
def test_every_role_is_there_and_called(name: str) -> None:
    backbone = BUILDERS[name](name)
    called = set()
    for number, block in enumerate(backbone.blocks):
        assert set(block.paths) == set(TIMM_BLOCK)
        for role in block.paths:
            block[role].register_forward_hook(
                lambda *_, key=(number, role): called.add(key)  # type: ignore[misc]
            )
    backbone(images())
    assert len(called) == len(backbone.blocks) * len(TIMM_BLOCK)


def test_a_gate_and_its_value_are_one_linear() -> None:
    (block, _) = clip("eva02_clip").blocks
    (kept, _) = whole_clip("eva02_clip").visual.trunk.blocks
    joined = torch.cat([kept.mlp.fc1_g.weight, kept.mlp.fc1_x.weight])
    assert torch.equal(block["mlp_in"].weight, joined)  # type: ignore[arg-type]
    assert block.width == 32
    bias = block["qkv"].bias
    assert isinstance(bias, Tensor)
    assert torch.equal(bias[:32], kept.attn.q_proj.bias)
    assert not bias[32:64].any(), "the key had no bias"


@pytest.mark.parametrize("name", all_but({"dinov3", "pe_core"}, BUILDERS))
def test_every_method_learns(bench: Bench, name: str) -> None:
    for method in METHODS:
        settings: dict[str, Any] = {"backbone": name, "method": method}
        if method == "aft":
            settings["method.ratio"] = 0.1
        if name in CLIPS:
            settings["init"] = "semantic"
        built = assembled(bench, **settings)
        learned = built.model.learned()
        before = {key: value.detach().clone() for key, value in learned.items()}
        take_steps(built, 2)
        moved = [key for key, value in learned.items() if not torch.equal(value, before[key])]
        parts = ["head."] if method == "classifier_only" else ["head.", "blocks.0.", "blocks.1."]
        for part in parts:
            assert any(part in key for key in moved), f"{method} learns nothing in {part}"


@pytest.mark.parametrize("name", CLIPS)
def test_zero_shot_is_the_cosine_of_images_and_texts(bench: Bench, name: str) -> None:
    built = assembled(bench, backbone=name, method="zero_shot")
    theirs = clip(name)
    assert theirs.text is not None
    texts = theirs.text.encode([f"a photo of a color {index}." for index in range(4)])
    with torch.no_grad():
        pixels = (40 * images() + 128).clip(0, 255).to(torch.uint8)
        features = torch.nn.functional.normalize(theirs(theirs.normalize(pixels)), dim=1)
        logits = built.model(pixels)
    assert theirs.logit_scale is not None
    assert torch.allclose(logits, theirs.logit_scale * features @ texts.T, rtol=1e-4, atol=1e-4)


def test_prompts_in_rotary_attention_are_registers() -> None:
    prompted = plain("dinov3")
    (prompts,) = PromptTuning(10, VptConfig(deep=False, length=3)).apply(prompted)
    registers = small(PLAIN["dinov3"], num_reg_tokens=4 + 3)
    stored = small(PLAIN["dinov3"]).state_dict()
    stored["reg_token"] = torch.cat([prompts.detach()[None], stored["reg_token"]], dim=1)
    registers.load_state_dict(stored)
    with torch.no_grad():
        assert parity.relative(prompted(images()), registers(images())) < 1e-5
        assert parity.relative(plain("dinov3")(images()), registers(images())) > 1e-3


@pytest.mark.parametrize("library_name", ["beit_base_patch16_224", "vit_relpos_base_patch16_224"])
def test_relative_positions_and_prompts_do_not_go_together(
    bench: Bench, library_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLAIN, "dinov2", library_name)
    assert assembled(bench, backbone="dinov2", method="lora")
    with pytest.raises(
        NothingMatchedError, match="blocks accept no prompts besides their own tokens"
    ):
        assembled(bench, backbone="dinov2", method="vpt")


def test_weights_of_convolutions_have_their_channels_last() -> None:
    import timm

    model = timm.create_model("test_resnet", num_classes=0)
    timm_blocks(model)
    spatial = [w for w in model.parameters() if w.dim() == 4 and w.shape[-1] > 1 and w.shape[1] > 1]
    assert spatial
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in spatial)
