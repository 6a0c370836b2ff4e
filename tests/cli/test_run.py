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
from tests.strangers import install

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


def test_the_main_job(cli: Cli, tmp_path: Path) -> None:
    ended = cli("run", *SMALL)
    assert ended.code == 0, ended.err
    for said in ("lift_plus", "overall", "mean-class", "many-shot", "few-shot", "learned", "time"):
        assert said in ended.out
    assert "epoch 3/3" in ended.err
    run = only_run(tmp_path / "runs")
    assert run.parent == tmp_path / "runs/digits_lt/clip_tiny/lift_plus"
    assert sorted(path.name for path in run.iterdir()) == [
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


def small_hash(cli: Cli) -> str:
    found: str = cli("run", "--dry-run", "--method", "full", "--json").json["hash"]
    return found


# What goes wrong, and how it ends. Each: arguments, exit code, what stderr says.
FAULTS = {
    "unknown component": (("--method", "lift_pluss"), 2, "did you mean 'lift_plus'?"),
    "wrong type": (("--set", "method.dim=big"), 2, "method.dim"),
    "unknown option": (("--set", "method.dimm=3"), 2, "did you mean 'dim'?"),
    "several": (("--epochs", "x", "--lr", "0"), 2, "2 faults"),
    "not finite": (("--lr", "inf", "--set", "loss.tau=nan"), 2, "2 faults"),
    "too large": (("--seed", str(2**32)), 2, "seed: expected whole number >= 0 and <= 4294967295"),
    "set twice": (("--seed", "1", "--set", "seed=2"), 2, "seed: set to 1 and to 2"),
    "a list written badly": (("--set", "method.layers=0,1"), 2, "all or whole number > 0 or list"),
    "a key without its section": (("--set", "lr=1"), 2, "did you mean 'train.lr'?"),
    "a prompt without a name": (("--set", "init.template=x"), 2, "has no {}"),
    "no assignment": (("--set", "method.dim"), 2, "expected KIND.OPTION=VALUE"),
    "no such flag": (("--methode", "full"), 2, "see `ltbench run --help`"),
    "no such choice": (("--overwrite", "Always"), 2, "is not one of"),
    "missing data": (("--dataset", "imagenet_lt"), 4, "--data-root"),
    "no such device": (("--device", "cuda:99"), 2, "--device cpu"),
    "device of no kind": (("--device", "quantum"), 2, "'quantum' is no device"),
    "unfetchable weights": (("--backbone", "clip_vit_b16"), 4, "backbone.weights=FILE"),
    "unknown model": (("--backbone", "timm", "--set", "backbone.model=vit_bas"), 2, "timm has no"),
    "text tower wanted": (
        ("--backbone", "timm", "--set", "backbone.model=test_vit", "--set",
         "backbone.pretrained=false", "--method", "zero_shot"),
        2,
        "needs a backbone with a text tower",
    ),
    "nothing matched": (
        ("--backbone", "timm", "--set", "backbone.model=test_resnet", "--set",
         "backbone.pretrained=false"),
        1,
        "have no",
    ),
    "a context without room": (
        ("--method", "coop", "--set", "head.context=" + "a " * 20), 2, "take fewer words"
    ),
    "diverged": (("--lr", "1e30", "--batch-size", "1000", "--epochs", "1"), 1, "not finite"),
    "a refinement that does nothing": (("--refinement", "tau_norm"), 2, "take --head linear"),
    "no head to refine": (("--method", "coop", "--refinement", "ncm"), 2, "take --head linear"),
    "a soup of nothing": (("--method", "ncm", "--refinement", "soup"), 2, "ncm' is made of"),
    "a head of another space": (("--head", "prompts"), 2, "take --method coop"),
    "too many layers": (("--set", "method.layers=7"), 2, "backbone of 6 blocks"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_end_in_one_message_a_hint_and_a_code(cli: Cli, tmp_path: Path, name: str) -> None:
    arguments, code, said = FAULTS[name]
    ended = cli("run", *arguments, "--json")
    assert ended.code == code, ended.err
    assert said in ended.err
    assert "Traceback" not in ended.err
    starts = [line.partition(" ")[0] for line in ended.err.splitlines()]
    assert (starts.count("error:"), starts.count("hint:")) == (1, 1)
    assert ended.out == ""
    kept = {".locks", ".cache"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    left = [path for path in files if not kept & {*path.parts}]
    assert left == [] or name == "diverged"


EXPLODING = """
def build(config, ctx):
    steps = []
    def loss(logits, labels):
        steps.append(1)
        value = logits.sum() * 0
        {explosion}
        return value
    return loss

@hookimpl
def ltbench_register_losses():
    return [LossSpec(name="exploding", summary="explodes in its third step", build=build)]
"""


@pytest.mark.parametrize(
    ("explosion", "code", "said"),
    [
        ("value = value / (0 if len(steps) == 3 else 1)", 1, "epoch 2, step 1"),
        (
            "import torch\n        if len(steps) == 3: raise torch.OutOfMemoryError('CUDA')",
            1,
            "--accumulate",
        ),
        ("if len(steps) == 3: raise ValueError('no more')", 3, "plugin exploder"),
        ("if len(steps) == 3: raise SystemExit(0)", 3, "plugin exploder"),
        ("value = value if len(steps) < 3 else logits", 3, "not a scalar with a gradient"),
    ],
)
def test_a_run_that_fails_is_recorded_and_retried_when_asked(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    explosion: str,
    code: int,
    said: str,
) -> None:
    (tmp_path / "site").mkdir()
    source = EXPLODING.format(explosion=explosion)
    install(tmp_path / "site", monkeypatch, "exploder", source)
    arguments = (*SMALL, "--loss", "exploding", "--batch-size", "64", "--json")
    ended = cli("run", *arguments)
    assert ended.code == code, ended.err
    assert said in ended.err
    run = only_run(tmp_path / "runs")
    assert (run / "failure.json").exists()
    assert (run / "checkpoint/training.safetensors").exists()
    assert not (run / "result.json").exists()
    again = cli("run", *arguments)
    assert again.code == 1
    assert "failed before" in again.err
    assert "--overwrite failed" in again.err
    retried = cli("run", *arguments, "--overwrite", "failed")
    assert "resuming training after epoch 1 of 3" in retried.err


INTERRUPTING = """
@hookimpl
def ltbench_on_epoch_end(run, epoch):
    if epoch == 1:
        raise KeyboardInterrupt
"""


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--optimizer", "adamw", "--schedule", "cosine", "--set", "schedule.warmup_epochs=1"),
        ("--optimizer", "timm", "--set", "optimizer.name=nadamw", "--schedule", "linear"),
    ],
    ids=["sgd", "adamw", "timm"],
)
def test_an_interrupted_run_resumes_bit_for_bit(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    whole = small(cli, "--out", "whole", *options)
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "interrupter", INTERRUPTING)
    stopped = cli("run", *SMALL, *options, "--out", "parts", "--json")
    assert stopped.code == 130
    assert "interrupted after 2 of 3 epochs" in stopped.err
    resumed = cli("run", *SMALL, *options, "--out", "parts", "--json")
    assert "resuming training after epoch 2 of 3" in resumed.err
    assert resumed.json["metrics"] == whole["metrics"]
    learned = [
        (only_run(tmp_path / out) / "learned.safetensors").read_bytes()
        for out in ("whole", "parts")
    ]
    assert learned[0] == learned[1]


RAISING = """
print("hello from the import")

@hookimpl
def ltbench_on_epoch_end(run, epoch, metrics):
    print("hello from the tracker")
    metrics.clear()
    1 / 0

@hookimpl
def ltbench_on_run_end(run, result):
    result.clear()
"""


def test_a_tracker_that_raises_is_silenced(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "tracker", RAISING)
    ended = cli("run", *SMALL, "--json")
    assert ended.code == 0
    assert ended.err.count("plugin tracker is silenced: ZeroDivisionError") == 1
    assert "tracker_plugin.py" in ended.json["silenced_plugins"]["tracker"]
    assert ended.err.count("hello from the tracker") == 1


CROPPING = """
import numpy as np
from ltbench import AugmentationSpec
from ltbench.views import Views

class Outside:
    draws = 0

    def views(self, sizes, uniforms, progress):
        return Views(np.tile([{box}], (len(sizes), 1)))

@hookimpl
def ltbench_register_augmentations():
    build = lambda config, ctx: Outside()
    return [AugmentationSpec(name="outside", summary="looks elsewhere", build=build)]
"""


@pytest.mark.parametrize("box", ["0, 0, 33, 8", "-1, 0, 8, 8", "0, 0, 0, 8", "np.nan, 0, 8, 8"])
def test_a_view_outside_of_its_image_is_an_error(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, box: str
) -> None:
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "cropper", CROPPING.format(box=box))
    ended = cli("run", *SMALL, "--augmentation", "outside", "--json")
    assert (ended.code, ended.out) == (3, "")
    assert "not inside of its image" in ended.err


def test_a_damaged_checkpoint_is_not_resumed_from(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "interrupter", INTERRUPTING)
    assert cli("run", *SMALL).code == 130
    state = only_run(tmp_path / "runs") / "checkpoint/training.safetensors"
    content = bytearray(state.read_bytes())
    content[-5] ^= 1
    state.write_bytes(content)
    ended = cli("run", *SMALL)
    assert (ended.code, "is damaged" in ended.err) == (4, True)
    assert cli("run", *SMALL, "--overwrite", "always").code == 130  # begins anew


def test_output_may_be_cut_short(tmp_path: Path) -> None:
    command = f"{sys.executable} -m ltbench list | head -1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
