"""Runs that cannot begin, fail, or are interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_run import SMALL, Cli, only_run, small
from tests.strangers import install

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
        ("--method", "coop", "--set", "head.context=" + "a " * 20), 2, "use fewer words"
    ),
    "diverged": (("--lr", "1e30", "--batch-size", "1000", "--epochs", "1"), 1, "not finite"),
    "a refinement that does nothing": (("--refinement", "tau_norm"), 2, "choose --head linear"),
    "no head to refine": (("--method", "coop", "--refinement", "ncm"), 2, "choose --head linear"),
    "a soup of nothing": (("--method", "ncm", "--refinement", "soup"), 2, "ncm' has refinement="),
    "a head of another space": (("--head", "prompts"), 2, "choose --method coop"),
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
        ("if len(steps) == 3: raise ValueError('no more')", 3, "plugin exploder"),
        *(
            pytest.param(*case, marks=pytest.mark.full)
            for case in (
                (
                    "import torch\n"
                    "        if len(steps) == 3: raise torch.OutOfMemoryError('CUDA')",
                    1,
                    "--accumulate",
                ),
                ("if len(steps) == 3: raise SystemExit(0)", 3, "plugin exploder"),
                ("value = value if len(steps) < 3 else logits", 3, "not a scalar with a gradient"),
            )
        ),
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
        pytest.param(
            ("--optimizer", "adamw", "--schedule", "cosine", "--set", "schedule.warmup_epochs=1"),
            marks=pytest.mark.full,
        ),
        pytest.param(
            ("--optimizer", "timm", "--set", "optimizer.name=nadamw", "--schedule", "linear"),
            marks=pytest.mark.full,
        ),
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


@pytest.mark.full
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
