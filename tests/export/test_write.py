"""Folders of exported models."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from ltbench.api.finished_run import load_run
from ltbench.errors import ConfigError, DataError, UnknownNameError
from ltbench.export.write import export_run
from ltbench.registry.load import load_plugins
from ltbench.testing.bench import Bench
from tests.engine.test_stored_model import stored


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out, bench = tmp_path_factory.mktemp("runs"), Bench.of(load_plugins())
    return {name: stored(bench, {"method": name}, out).path for name in ("lora", "lift_plus")}


def card_of(folder: Path) -> tuple[dict[str, object], str]:
    _, metadata, text = (folder / "README.md").read_text().split("---\n", 2)
    parsed: dict[str, object] = json.loads(metadata)
    return parsed, text


def test_merged_weights_have_the_names_of_the_library(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    exported = export_run(runs["lora"], "safetensors", tmp_path / "model", {})
    assert exported.max_error < 1e-4
    assert sorted(exported.files) == [
        *("README.md", "classes.json", "model.safetensors", "preprocess.json")
    ]
    with safe_open(tmp_path / "model" / "model.safetensors", "pt") as file:
        names, about = set(file.keys()), file.metadata()
    assert "visual.transformer.resblocks.0.attn.in_proj_weight" in names
    assert not [name for name in names if "lora" in name or "qkv" in name]
    assert about == {
        "format": "pt",
        "library": "open_clip",
        "model": "clip_tiny",
        "unit_features": "true",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    shown = exported._repr_html_()
    assert "format safetensors, largest difference of a logit" in shown
    assert (
        f"<tr><td>model.safetensors</td><td>{exported.files['model.safetensors']:,}</td>" in shown
    )


def test_open_clip_loads_a_folder_for_a_hub(runs: dict[str, Path], tmp_path: Path) -> None:
    import open_clip
    from huggingface_hub import ModelCard

    exported = load_run(runs["lora"]).export("hf-folder", tmp_path / "model")
    assert exported.form == "openclip"
    assert any("stub" in note for note in exported.notes)
    clip = open_clip.create_model(f"local-dir:{tmp_path / 'model'}")
    assert clip.encode_image(torch.zeros(2, 3, 32, 32)).shape == (2, 128)
    metadata, text = card_of(tmp_path / "model")
    assert metadata["library_name"] == "open_clip"
    assert ModelCard.load(tmp_path / "model" / "README.md").data.license == "unknown"
    digest = hashlib.sha256((tmp_path / "model" / "predict.py").read_bytes()).hexdigest()
    assert digest in text
    modes = {path.stat().st_mode for path in (tmp_path / "model").iterdir()}
    assert len(modes) == 1


def test_what_cannot_be_merged_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    for to in ("safetensors", "openclip"):
        with pytest.raises(
            ConfigError, match=r"modules of its own .*adaptformer\.\w+ and \d+ more"
        ):
            export_run(runs["lift_plus"], to, tmp_path / "model", {})
    with pytest.raises(ConfigError, match="'clip_tiny' is no model of timm, but of open_clip"):
        export_run(runs["lora"], "timm", tmp_path / "model", {})
    with pytest.raises(ConfigError, match="expected a new folder"):
        export_run(runs["lora"], "timm", Path("/"), {})
    assert not list(tmp_path.iterdir())


@pytest.mark.full
def test_what_cannot_be_merged_is_a_program_for_a_hub(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    exported = export_run(runs["lift_plus"], "hf-folder", tmp_path / "a" / "model", {})
    assert exported.form == "torch"
    assert "cannot be merged" in exported.notes[0]
    program = torch.export.load(tmp_path / "a" / "model" / "model.pt2").module()
    assert program(torch.zeros(5, 3, 32, 32, dtype=torch.uint8)).shape == (5, 4)


def test_wrong_arguments_are_named(runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="there is no format 'onyx'"):
        export_run(runs["lora"], "onyx", tmp_path / "model", {})
    with pytest.raises(UnknownNameError, match="there is no format 3"):
        export_run(runs["lora"], 3, tmp_path / "model", {})
    with pytest.raises(DataError, match="is not a run directory"):
        export_run(tmp_path, "torch", tmp_path / "model", {})
    (tmp_path / "link").symlink_to("nowhere")
    for path in (tmp_path, tmp_path / "link"):
        with pytest.raises(ConfigError, match="exists: expected a new folder"):
            export_run(runs["lora"], "torch", path, {})
    with pytest.raises(ConfigError, match="path: expected the path of a folder"):
        load_run(runs["lora"]).export("torch", 3)  # type: ignore[arg-type]


@pytest.mark.full
def test_the_code_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[2] / "docs" / "export.md"
    (code,) = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(page), "exec"), {})
    assert capsys.readouterr().out.startswith("openclip ")
    assert (tmp_path / "model" / "open_clip_model.safetensors").exists()


@pytest.mark.full
def test_timm_loads_a_linear_head_as_its_own(tmp_path: Path) -> None:
    import timm

    bench = Bench.of(load_plugins())
    backbone = {"backbone": "timm", "backbone.model": "test_vit", "backbone.pretrained": False}
    directory = stored(bench, {**backbone, "method": "ssf", "head": "linear"}, tmp_path / "runs")
    exported = export_run(directory.path, "hf-folder", tmp_path / "model", {})
    assert exported.form == "timm"
    assert "classifier.safetensors" not in exported.files
    loaded = timm.create_model(f"local-dir:{tmp_path / 'model'}", pretrained=True)
    assert loaded.num_classes == 4


@pytest.mark.full
def test_an_export_tells_of_an_inference_that_takes_all_images_together(tmp_path: Path) -> None:
    settings = {"method": "classifier_only", "inference": "em_prior"}
    run = stored(Bench.of(load_plugins()), settings, tmp_path / "runs").path
    exported = export_run(run, "safetensors", tmp_path / "model", {})
    (note,) = exported.notes
    assert note.startswith("Inference 'em_prior' adjusted the logits of all test images together.")
    preprocess = json.loads((tmp_path / "model" / "preprocess.json").read_text())
    assert len(preprocess["views"]) == 5
