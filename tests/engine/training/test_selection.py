"""Which epoch a run keeps, and that nothing but the validation split has a say in it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ltbench.config.resolve import resolve
from ltbench.config.runspec import TrainConfig
from ltbench.data.holdout import hold_out
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.builder import build_run
from ltbench.engine.evaluate import evaluate
from ltbench.engine.training.checkpoint import TrainState, copies
from ltbench.engine.training.selection import Validation, best_epoch
from ltbench.engine.training.train_loader import image_loader
from ltbench.engine.training.trainer import Trainer
from ltbench.progress import SilentReporter
from ltbench.registry.load import load_plugins
from ltbench.storage.result_schema import RunDescription
from ltbench.storage.run_directory import RunDirectory
from tests.conftest import Ended
from tests.strangers import install

Cli = Callable[..., Ended]
CPU = torch.device("cpu")
SETTINGS = {
    "dataset": "watched",
    "method": "classifier_only",
    "head": "linear",
    "inference": "counting",
    "select": "val",
    "train.epochs": 4,
    "loss": "turning",
    "train.lr": 1.0,
}

# Digits without a validation split, a hundred of them to test on. They remember what was read.
# With them a loss that turns bad half-way, so that the last epoch is not the best. Loss and
# inference count what they are called for, and stop where they are told to.
WATCHED = """
import os
from dataclasses import dataclass
from ltbench import DatasetSpec, InferenceSpec, NoOptions
from ltbench.data import ArrayImages, Dataset, Split
from ltbench.errors import CorruptImageError
from ltbench_plugins.datasets.digits_lt import DigitsConfig, build
from ltbench_plugins.inferences.center import Center

READ = []
BROKEN = set()
CALLS = []

def count(what):
    CALLS.append(what)
    if os.environ.get("STOP_AT") == f"{what} {CALLS.count(what)}":
        raise KeyboardInterrupt

@dataclass
class Watched:
    split: str
    images: object

    def __len__(self):
        return len(self.images)

    def name(self, index):
        return self.images.name(index)

    def read(self, index):
        READ.append(self.split)
        if (self.split, index) in BROKEN:
            raise CorruptImageError(f"{self.split} {index} cannot be decoded")
        return self.images.read(index)

def watched(config, ctx):
    digits = build(DigitsConfig(largest=40, ratio=4), ctx)
    train, test = digits.splits["train"], digits.splits["test"]
    few = Split(Watched("test", ArrayImages(test.images.pixels[:100])), test.labels[:100])
    whole = Split(Watched("train", train.images), train.labels)
    return Dataset(digits.class_names, {"train": whole, "test": few})

class Turning:
    def start_epoch(self, progress):
        count("epoch")
        self.sign = 1 if progress < 0.5 else -1

    def __call__(self, logits, labels):
        from torch.nn import functional as F
        return self.sign * F.cross_entropy(logits, labels)

class Counting(Center):
    def reduce(self, logits):
        count("pass")
        return super().reduce(logits)

@hookimpl
def ltbench_register_datasets():
    return [DatasetSpec(name="watched", summary="digits", config=NoOptions, build=watched)]

@hookimpl
def ltbench_register_losses():
    return [LossSpec(name="turning", summary="turns", build=lambda config, ctx: Turning())]

@hookimpl
def ltbench_register_inferences():
    build = lambda config, ctx: Counting(ctx.resolution)
    return [InferenceSpec(name="counting", summary="counts", build=build)]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of plugins with the data set `watched` in it."""
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "watched", WATCHED)
    return tmp_path / "site"


@pytest.fixture
def watched(site: Path) -> Any:
    """The module of the data set `watched`."""
    return importlib.import_module("watched_plugin")


def command(*arguments: str, **changes: Any) -> tuple[str, ...]:
    settings = SETTINGS | {key.replace("_", "."): value for key, value in changes.items()}
    sets = (part for key, value in settings.items() for part in ("--set", f"{key}={value}"))
    return ("run", *sets, "--precision", "fp32", "--workers", "0", *arguments)


def run(cli: Cli, *arguments: str, **changes: Any) -> dict[str, Any]:
    ended = cli(*command(*arguments, **changes), "--json")
    assert ended.code == 0, ended.err
    return ended.json


def fitted(
    folder: Path, *, validate: bool = True
) -> tuple[Any, TrainState, list[dict[str, torch.Tensor]]]:
    """Trains a head for four epochs; returns the model, the state and each epoch's weights."""
    resolved = resolve(load_plugins(), SETTINGS, folder)
    built = build_run(resolved, LoaderConfig(CPU, 0, False), "fp32")
    directory = RunDirectory(folder)
    directory.begin(RunDescription.of(resolved.spec))
    trainer = Trainer(built, directory, SilentReporter())
    seen: list[dict[str, torch.Tensor]] = []
    state = trainer.fit(
        "training",
        image_loader(built, 0, 4),
        TrainConfig(epochs=4, batch_size=32, lr=1.0),
        lambda state: seen.append(copies(built.model.learned())),
        Validation(built, evaluate, SilentReporter()) if validate else None,
    )
    return built.model, state, seen


def test_the_weights_are_those_of_the_best_epoch(site: Path, tmp_path: Path) -> None:
    model, state, seen = fitted(tmp_path)
    scores = [row["val_mean_class"] for row in state.history]
    best = int(np.argmax(scores))
    assert best < 2  # the loss turns bad then
    assert not torch.equal(seen[best]["head.weight"], seen[-1]["head.weight"])
    for name, weight in copies(model.learned()).items():
        assert torch.equal(weight, seen[best][name]), name


def test_of_equal_epochs_the_earliest_is_taken() -> None:
    assert best_epoch([{"val_mean_class": score} for score in (50.0, 70.0, 70.0, 60.0)]) == 1


def test_validation_does_not_disturb_the_training(site: Path, tmp_path: Path) -> None:
    _, scored, seen = fitted(tmp_path / "scored")
    model, unscored, others = fitted(tmp_path / "unscored", validate=False)
    assert [row["loss"] for row in scored.history] == [row["loss"] for row in unscored.history]
    for one, other in zip(seen, others, strict=True):
        assert torch.equal(one["head.weight"], other["head.weight"])
    assert torch.equal(model.head.weight, others[-1]["head.weight"])  # without a choice: the last


def test_a_result_says_how_it_was_selected(cli: Cli, site: Path) -> None:
    chosen = run(cli)
    selection = chosen["selection"]
    scores, seconds = selection["scores"], selection["seconds"]
    assert selection == {
        "rule": "val",
        "epoch": int(np.argmax(scores)),
        "epochs": 4,
        "criterion": "mean_class",
        "scores": scores,
        "val_images": 22,
        "held_out": True,
        "seconds": seconds,
        "skipped_images": 0,
    }
    history = Path(chosen["directory"], "history.jsonl").read_text().splitlines()
    assert [json.loads(row)["val_mean_class"] for row in history] == scores
    epoch, best = selection["epoch"] + 1, max(scores)
    said = f"epoch {epoch} of 4, chosen on 22 held-out training images (mean-class {best:.1f} %)"
    assert said in cli(*command()).out


def test_the_last_epoch_is_taken_where_nobody_chooses(cli: Cli, site: Path) -> None:
    chosen, last = run(cli, train_epochs=2), run(cli, train_epochs=2, select="last")
    assert last["hash"] != chosen["hash"]
    assert last["selection"] == {
        "rule": "last",
        "epoch": 1,
        "epochs": 2,
        "criterion": None,
        "scores": [],
        "val_images": 0,
        "held_out": False,
        "seconds": 0,
        "skipped_images": 0,
    }


def test_a_score_is_what_evaluating_on_val_gives(cli: Cli, site: Path) -> None:
    result = run(cli, split="val")
    selection = result["selection"]
    assert result["metrics"]["mean_class"] == selection["scores"][selection["epoch"]]
    assert result["metrics"]["test_images"] == selection["val_images"]


def test_the_test_split_is_read_once_after_the_choice(cli: Cli, watched: Any) -> None:
    run(cli)
    assert watched.READ.count("test") == 100
    assert set(watched.READ[-100:]) == {"test"}


def test_the_test_split_is_never_read_where_val_is_evaluated(cli: Cli, watched: Any) -> None:
    planned = run(cli, "--dry-run", split="val")
    assert planned["estimate"]["select_seconds"] > 0
    result = run(cli, split="val")
    assert planned["hash"] == result["hash"]
    cli("eval", result["directory"], "--inference", "flip", "--workers", "0")
    assert set(watched.READ) == {"train"}  # which the validation images are from


@pytest.mark.full
def test_held_out_images_are_not_trained_on_and_change_no_shot_group(cli: Cli, site: Path) -> None:
    held, whole = run(cli), run(cli, select="last")
    classes = held["classes"]
    assert whole["classes"]["trained_on"] == whole["classes"]["train_images"]
    assert classes["train_images"] == [40, 34, 29, 25, 21, 18, 15, 13, 11, 10]
    assert classes["trained_on"] == [36, 31, 26, 22, 19, 16, 13, 12, 10, 9]
    assert held["metrics"]["group_classes"]["medium"] == 5  # 19 of 21 would be few
    assert held["metrics"]["group_classes"] == whole["metrics"]["group_classes"]
    again = cli("eval", held["directory"], "--workers", "0", "--json").json
    assert again["metrics"] == held["metrics"]


def test_where_nothing_is_trained_nothing_is_held_out(cli: Cli, site: Path) -> None:
    arguments = ("run", "--method", "zero_shot", "--dataset", "watched", "--select", "val")
    ended = cli(*arguments, "--inference", "center", "--workers", "0")
    assert "none: the run trains nothing" in ended.out
    result = cli(*arguments, "--inference", "center", "--workers", "0", "--json").json
    assert result["classes"]["trained_on"] == result["classes"]["train_images"]
    selection = result["selection"]
    assert (selection["rule"], selection["epoch"], selection["held_out"]) == ("last", None, False)


@pytest.mark.full
def test_corrupt_validation_images_are_counted(cli: Cli, watched: Any, tmp_path: Path) -> None:
    resolved = resolve(load_plugins(), SETTINGS, tmp_path)
    held = hold_out(resolved.build("dataset", resolved.data), resolved.spec.data_seed)
    watched.BROKEN.add(("train", int(held.splits["val"].images.indices[0])))  # type: ignore[attr-defined]
    ended = cli(*command())
    assert ended.code == 4
    assert "cannot be decoded" in ended.err
    skipping = run(cli, "--on-corrupt", "skip")
    assert skipping["selection"]["skipped_images"] == 1
    assert skipping["training"]["skipped_images"] == 0
    assert "1 corrupt images" in cli(*command("--on-corrupt", "skip")).out
    both = cli(*command("--on-corrupt", "skip", "--split", "val")).out
    assert "1 corrupt images" in both  # not twice


@pytest.mark.parametrize(
    ("stop_at", "said", "resuming"),
    [
        ("epoch 4", "interrupted after 3 of 4 epochs", "training after epoch 3 of 4"),
        ("pass 2", "interrupted after 1 of 4 epochs", "training after epoch 1 of 4"),
        ("epoch 6", "interrupted after the training", "refinement-1 after epoch 1 of 4"),
    ],
    ids=["training", "validation", "refinement"],
)
@pytest.mark.full
def test_an_interrupted_choice_is_the_same_bit_for_bit(
    cli: Cli,
    watched: Any,
    monkeypatch: pytest.MonkeyPatch,
    stop_at: str,
    said: str,
    resuming: str,
) -> None:
    whole = run(cli, "--out", "whole", refinement="crt")
    arguments = command("--out", "parts", "--json", refinement="crt")
    watched.CALLS.clear()
    monkeypatch.setenv("STOP_AT", stop_at)
    stopped = cli(*arguments)
    assert (stopped.code, said in stopped.err) == (130, True), stopped.err
    monkeypatch.delenv("STOP_AT")
    resumed = cli(*arguments)
    assert f"resuming {resuming}" in resumed.err
    assert resumed.json["selection"]["scores"] == whole["selection"]["scores"]
    assert resumed.json["selection"]["epoch"] == whole["selection"]["epoch"]
    assert resumed.json["metrics"] == whole["metrics"]
    first, second = (
        Path(result["directory"], "learned.safetensors").read_bytes()
        for result in (whole, resumed.json)
    )
    assert first == second
    assert not Path(resumed.json["directory"], "checkpoint").exists()
