"""Weights files and tokenizers of backbones: what is loaded, and what is refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from ltbench.errors import ConfigError, DataError
from ltbench_plugins.backbones import open_clip, timm
from ltbench_plugins.backbones.named import NamedConfig
from tests.plugins.test_backbones import CTX, SPECS, chosen, stored
from tests.tiers import all_but

BOTH = "module._orig_mod."


def test_files_of_weights_that_were_numpys_once_are_loaded(tmp_path: Path) -> None:
    """timm expects NumPy's format for this tag, as for those of in21k_vit_b16."""
    import timm as library

    name = "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    assert library.get_pretrained_cfg(name).custom_load
    assert library.get_pretrained_cfg(chosen("in21k_vit_b16").model).custom_load
    torch.manual_seed(3)
    theirs = library.create_model("vit_tiny_patch16_224")
    path = stored(theirs, tmp_path / "weights.safetensors")
    ours = timm.build(timm.TimmConfig(name, weights=path), CTX)
    assert torch.equal(ours.model.pos_embed, theirs.pos_embed)  # type: ignore[arg-type]
    assert not isinstance(ours.model.pretrained_cfg.get("state_dict"), dict)  # type: ignore


def test_with_a_file_images_are_normalised_as_the_tag_says(tmp_path: Path) -> None:
    import open_clip as library

    model, tag = "PE-Core-T-16-384", "meta"  # small; normalised as SigLIPs are
    path = stored(library.create_model(model), tmp_path / "weights.safetensors")
    ours = open_clip.build(open_clip.OpenClipConfig(model, tag, path), CTX)
    assert torch.equal(ours.mean.flatten(), torch.full((3,), 127.5))
    assert torch.equal(ours.std.flatten(), torch.full((3,), 127.5))
    assert ours.resolution == 384


def test_a_tag_of_another_model_is_refused_with_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(ConfigError, match="has no weights 'openai'") as caught:
        open_clip.build(open_clip.OpenClipConfig("ViT-B-16-SigLIP2", "openai", path), CTX)
    assert "there are: webli" in caught.value.hint


@pytest.mark.parametrize("content", ["", "text", "cos\nsystem\n(S'touch {trap}'\ntR."])
@pytest.mark.parametrize("suffix", ["pt", "bin", "safetensors", "npz"])
@pytest.mark.parametrize("name", ["clip_vit_b16", "in1k_rn50"])
def test_what_is_no_weights_is_refused_and_never_run(
    tmp_path: Path, name: str, suffix: str, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip as library

    def small(model: str, **options: Any) -> Any:  # as big as the test needs
        return create_model("ViT-S-32-alt", **options)

    create_model = library.create_model
    monkeypatch.setattr(library, "create_model", small)
    path, trap = tmp_path / f"weights.{suffix}", tmp_path / "trap"
    path.write_text(content.format(trap=trap))
    with pytest.raises(DataError, match=rf"weights\.{suffix} does not hold weights"):
        SPECS[name].build(NamedConfig(path), CTX)
    assert not trap.exists()


def test_tensors_that_torch_saved_are_no_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    torch.save({"weight": torch.ones(2)}, path)
    for name in ("clip_vit_b16", "in1k_rn50"):
        with pytest.raises(DataError, match="expected a safetensors file") as caught:
            SPECS[name].build(NamedConfig(path), CTX)
        assert caught.value.exit_code == 4
        assert "ends with .safetensors" in caught.value.hint


@pytest.mark.parametrize(
    "tensors",
    [{"other.weight": torch.ones(2)}, {"conv1.weight": torch.ones(2)}],
    ids=["other names", "other shapes"],
)
def test_weights_of_another_model_are_refused(tmp_path: Path, tensors: dict[str, Any]) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(tensors, path)
    for build, config in [
        (timm.build, timm.TimmConfig("test_resnet", weights=path)),
        (timm.build, timm.TimmConfig("test_vit", weights=path)),
        (open_clip.build, open_clip.OpenClipConfig("ViT-S-32-alt", None, path)),
    ]:
        with pytest.raises(DataError, match="does not hold weights of") as caught:
            build(config, CTX)  # type: ignore[arg-type]
        assert "exactly this model" in caught.value.hint


@pytest.mark.parametrize(
    "prefix",
    all_but({"module._orig_mod."}, ["module.", "_orig_mod.", "model.", "module._orig_mod."]),
)
def test_weights_of_a_wrapped_model_are_told(tmp_path: Path, prefix: str) -> None:
    import timm as library

    path = tmp_path / "weights.safetensors"
    tensors = library.create_model("test_vit").state_dict()
    save_file({f"{prefix}{name}": tensor for name, tensor in tensors.items()}, path)
    for build, config in [
        (timm.build, timm.TimmConfig("test_vit", weights=path)),
        (open_clip.build, open_clip.OpenClipConfig("ViT-S-32-alt", None, path)),
    ]:
        with pytest.raises(DataError, match=f"names begin with '{prefix}'") as caught:
            build(config, CTX)  # type: ignore[arg-type]
        assert f"removeprefix('{prefix}')" in caught.value.hint


def test_weights_that_lack_a_tensor_are_refused(tmp_path: Path) -> None:
    import timm as library

    model = library.create_model("test_vit")
    path = tmp_path / "weights.safetensors"
    save_file({k: v for k, v in model.state_dict().items() if k != "cls_token"}, path)
    with pytest.raises(DataError, match="cls_token"):
        timm.build(timm.TimmConfig("test_vit", weights=path), CTX)


@pytest.mark.parametrize("name", ["clip_vit_b32", "in1k_rn50", "siglip2_vit_b16"])
def test_offline_weights_are_asked_of_the_cache_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    from huggingface_hub import constants

    assert constants.HF_HUB_OFFLINE, "tests/conftest.py sets it"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(socket.socket, "connect", no_network)
    with pytest.raises(DataError, match="cannot be fetched") as caught:
        SPECS[name].build(NamedConfig(), CTX)
    cache = f"the cache {tmp_path / 'hub'}"
    for part in (cache, "HF_HUB_OFFLINE=1", "--set backbone.weights=FILE"):
        assert part in caught.value.hint


def no_network(*_: Any) -> None:
    raise AssertionError("the network was asked")


def test_the_tokenizer_may_lie_beside_the_weights(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = Tokenizer(WordLevel({"[PAD]": 0, "a": 1, "zero": 2, "[UNK]": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]"
    )
    fast.save_pretrained(tmp_path)
    config = open_clip.OpenClipConfig("ViT-B-16-SigLIP2", "webli", tmp_path / "w.safetensors")
    tokens = open_clip._tokenizer(config)(["A zero."])
    assert tokens.shape == (1, 64)
    assert tokens[0, :4].tolist() == [1, 2, 0, 0], "lower case without full stop, as SigLIP 2 asks"


def test_without_a_tokenizer_the_error_says_where_it_is_looked_for(tmp_path: Path) -> None:
    config = chosen("siglip2_vit_b16")
    elsewhere = open_clip.OpenClipConfig(config.model, config.tag, tmp_path / "w.safetensors")
    with pytest.raises(DataError, match="the tokenizer of open_clip ViT-B-16-SigLIP2") as caught:
        open_clip.build(elsewhere, CTX)
    assert f"into {tmp_path}" in caught.value.hint


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({}, "no tensors"),
        ({"weight": torch.zeros(2).to(torch.float8_e4m3fn)}, "F8_E4M3 tensors"),
        ({"weight": torch.zeros(2, dtype=torch.int8)}, "I8 tensors"),
    ],
)
def test_files_that_are_no_plain_weights_are_told(
    tmp_path: Path, tensors: dict[str, torch.Tensor], said: str
) -> None:
    save_file(tensors, tmp_path / "w.safetensors")
    config = timm.TIMM.config(model="test_vit", weights=tmp_path / "w.safetensors")
    with pytest.raises(DataError, match=said):
        timm.TIMM.build(config, CTX)
