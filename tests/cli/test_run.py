from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests import trees
from tests.conftest import Ended

Cli = Callable[..., Ended]
SMALL = (
    *("--set", "dataset.largest=24", "--set", "dataset.ratio=4"),
    *("--epochs", "3", "--precision", "fp32"),
)


def only_run(root: Path) -> Path:
    (result,) = root.rglob("spec.json")
    return result.parent


def small(cli: Cli, *arguments: str) -> dict[str, Any]:
    ended = cli("run", *SMALL, "--json", *arguments)
    assert ended.code == 0, ended.err
    return ended.json


def small_hash(cli: Cli) -> str:
    found: str = cli("run", "--dry-run", "--method", "full", "--json").json["hash"]
    return found


def test_the_main_job(cli: Cli, tmp_path: Path) -> None:
    ended = cli("run", *SMALL)
    assert ended.code == 0, ended.err
    for said in ("lift_plus", "overall", "mean-class", "many-shot", "few-shot", "learned", "time"):
        assert said in ended.out
    assert "epoch 3/3" in ended.err
    run = only_run(tmp_path / "runs")
    assert run.parent == tmp_path / "runs/digits_lt/clip_tiny/lift_plus"
    assert sorted(path.name for path in run.iterdir()) == [
        "attempt.json",
        "environment.json",
        "frozen.safetensors",
        "history.jsonl",
        "learned.safetensors",
        "predictions-tte.parquet",
        "result.json",
        "spec.json",
    ]
    result = json.loads((run / "result.json").read_text())
    assert result["metrics"]["few"] > 80
    assert result["learned"]["encoder"] == 6 * (2 * 128 + 128 + 1 + 128 + 128 + 1)
    assert result["learned"]["head"] == 1280
    assert len(load_file(run / "learned.safetensors")) == 6 * 7 + 1
    assert result["environment"]["precision"] == "fp32"
    assert [
        json.loads(line)["epoch"] for line in (run / "history.jsonl").read_text().splitlines()
    ] == [0, 1, 2]


def test_json_is_alone_on_stdout_and_the_second_run_is_the_first(cli: Cli) -> None:
    first = small(cli)
    ended = cli("run", *SMALL, "--json")
    assert ended.json == first
    assert ended.err == ""  # nothing was run
    assert "stored earlier" in cli("run", *SMALL).out


@pytest.mark.full
def test_intervals_of_an_earlier_method_are_computed_anew(cli: Cli, tmp_path: Path) -> None:
    first = small(cli)
    path = only_run(tmp_path / "runs") / "result.json"
    stored = json.loads(path.read_text())
    stored["metrics"]["interval_method"] = None
    stored["metrics"]["intervals"]["accuracy"] = [94.0, 95.0]
    path.write_text(json.dumps(stored))
    assert small(cli) == first
    path.with_name("predictions-tte.parquet").unlink()
    again = small(cli)
    assert set(again["metrics"]["intervals"].values()) == {None}
    assert again["metrics"]["accuracy"] == first["metrics"]["accuracy"]
    assert "no intervals, because" in again["warnings"][-1]


@pytest.mark.full
def test_overwrite_always_runs_again(cli: Cli) -> None:
    first = small(cli)
    again = small(cli, "--overwrite", "always")
    assert again["metrics"] == first["metrics"]
    assert again["training"]["seconds"] != first["training"]["seconds"]


def test_a_run_that_cannot_begin_leaves_the_earlier_result(cli: Cli, tmp_path: Path) -> None:
    folder = trees.imagenet_lt(tmp_path / "data")
    arguments = ("run", "--dataset", "imagenet_lt", "--epochs", "1", "--workers", "0", "--json")
    arguments += trees.OWN
    first = cli(*arguments).json
    (folder / "train" / trees.CLASSES[0] / f"{trees.CLASSES[0]}_0.JPEG").unlink()
    assert cli(*arguments, "--overwrite", "always").code == 4
    assert cli(*arguments).json == first


@pytest.mark.full
def test_the_same_seed_gives_the_same_bits(cli: Cli, tmp_path: Path) -> None:
    for out in ("a", "b"):
        small(cli, "--seed", "1", "--out", out)
    small(cli, "--seed", "2", "--out", "c")
    learned = [(only_run(tmp_path / out) / "learned.safetensors").read_bytes() for out in "abc"]
    assert learned[0] == learned[1] != learned[2]


@pytest.mark.parametrize("precision", ["bf16", pytest.param("fp16", marks=pytest.mark.full)])
def test_lower_precisions_learn_as_well(cli: Cli, precision: str) -> None:
    quick = ("--inference", "center", "--epochs", "1")
    full, lower = small(cli, *quick), small(cli, *quick, "--precision", precision)
    assert lower["environment"]["precision"] == precision
    assert abs(lower["metrics"]["accuracy"] - full["metrics"]["accuracy"]) < 3


@pytest.mark.full
def test_accumulation_changes_only_the_rounding(cli: Cli, tmp_path: Path) -> None:
    whole = small(cli, "--out", "whole")
    parts = small(cli, "--out", "parts", "--accumulate", "3")
    assert whole["hash"] != parts["hash"]
    tensors = [
        load_file(only_run(tmp_path / out) / "learned.safetensors") for out in ("whole", "parts")
    ]
    for name, tensor in tensors[0].items():
        assert tensor.allclose(tensors[1][name], atol=1e-4), name


@pytest.mark.full
@pytest.mark.parametrize(
    "arguments",
    [
        ("--method", "classifier_only", "--head", "linear", "--init", "random", "--loss", "ce"),
        ("--method", "full", "--augmentation", "standard", "--inference", "center"),
        ("--method", "adaptformer", "--init", "class_mean", "--augmentation", "none"),
        ("--method", "full", "--set", "method.layers=2", "--split", "val"),
        (
            "--method",
            "zero_shot",
        ),
    ],
    ids=lambda arguments: arguments[1],
)
def test_every_component_runs(cli: Cli, arguments: tuple[str, ...]) -> None:
    if "zero_shot" in arguments:
        result = cli("run", "--json", *arguments).json
        assert result["learned"]["total"] == 0
    else:
        result = small(cli, *arguments)
    assert result["metrics"]["accuracy"] > 15


@pytest.mark.parametrize(
    ("backbone", "options"),
    [
        ("timm", ("--set", "backbone.model=test_vit", "--set", "backbone.pretrained=false")),
        pytest.param(
            "open_clip",
            ("--set", "backbone.model=ViT-S-32", "--set", "backbone.tag=none"),
            marks=pytest.mark.full,  # sixty million weights
        ),
    ],
)
def test_models_of_the_libraries(cli: Cli, backbone: str, options: tuple[str, ...]) -> None:
    result = small(cli, "--backbone", backbone, *options, "--epochs", "1", "--inference", "center")
    assert result["run"]["init"]["name"] == ("class_mean" if backbone == "timm" else "semantic")
    assert result["learned"]["encoder"] > 0


@pytest.mark.full
def test_image_files_and_any_number_of_workers(cli: Cli, tmp_path: Path) -> None:
    trees.imagenet_lt(tmp_path / "data")
    arguments = ("--dataset", "imagenet_lt", "--epochs", "2", "--precision", "fp32", *trees.OWN)
    results = [
        cli("run", *arguments, "--workers", workers, "--out", f"workers{workers}", "--json").json
        for workers in ("0", "2")
    ]
    assert results[0]["hash"] == results[1]["hash"]
    assert results[0]["metrics"] == results[1]["metrics"]
    assert results[0]["metrics"]["test_images"] == 12
    learned = [
        (only_run(tmp_path / f"workers{workers}") / "learned.safetensors").read_bytes()
        for workers in (0, 2)
    ]
    assert learned[0] == learned[1]


def test_a_corrupt_image_stops_the_run_or_is_counted(cli: Cli, tmp_path: Path) -> None:
    folder = trees.imagenet_lt(tmp_path / "data")
    broken = folder / "train" / trees.CLASSES[1] / f"{trees.CLASSES[1]}_0.JPEG"
    broken.write_bytes(b"<html>")
    arguments = ("run", "--dataset", "imagenet_lt", "--epochs", "1", "--workers", "0", "--json")
    arguments += trees.OWN
    ended = cli(*arguments)
    assert ended.code == 4
    assert str(broken.relative_to(folder)) in ended.err
    assert "class 'goldfish'" in ended.err
    skipping = cli(*arguments, "--on-corrupt", "skip")
    assert skipping.json["training"]["skipped_images"] == 1


def test_dry_run_writes_nothing(cli: Cli, tmp_path: Path) -> None:
    ended = cli("run", "--dry-run", "--method", "full", "--json")
    assert ended.json["estimate"]["learned"]["encoder"] == 1_189_632
    assert ended.json["estimate"]["train_seconds"] > 0
    assert ended.json["hash"] == small_hash(cli)
    assert list(tmp_path.iterdir()) == []
    shown = cli("run", "--dry-run")
    for said in ("train", "recipe of dataset digits_lt", "learned parameters", "estimated memory"):
        assert said in shown.out


def test_output_may_be_cut_short(tmp_path: Path) -> None:
    command = f"{sys.executable} -m ltbench list | head -1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
