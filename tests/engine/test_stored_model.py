"""Models of finished runs, rebuilt from their run directories alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.contexts import DataContext
from ltbench.data import Dataset
from ltbench.engine.run import evaluate_again, execute
from ltbench.engine.stored_model import load_model
from ltbench.errors import ConfigError, DataError, NothingMatchedError
from ltbench.progress import SilentReporter
from ltbench.registry.component import Component
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import DatasetSpec
from ltbench.storage.predictions import Predictions
from ltbench.storage.run_directory import RunDirectory
from ltbench.testing.bench import Bench, trials
from ltbench_plugins.backbones.clip_tiny import CLIP_TINY
from ltbench_plugins.methods.peft_tuners import TUNERS
from tests import trees
from tests.conftest import Ended
from tests.tiers import all_but

COMPANIONS: tuple[Mapping[str, str], ...] = (
    {},
    {"head": "linear"},
    {"method": "coop"},
    {"method": "lpt"},
    {"method": "ballad"},
)
KINDS = ("method", "head", "init", "refinement")
FIRST = (
    "method lift_plus",
    "method aft",
    "method peft(tuner=vera)",
    "method tip_adapter",
    "method zero_shot",
    "head prompts",
    "init class_mean",
    "refinement ncm",
)


def cases() -> dict[str, Mapping[str, Any]]:
    """Every method, head, init and refinement with each of its examples, and every tuner."""
    named = load_plugins().components
    every = [(kind, component) for kind in KINDS for component in named[kind].values()]
    found = {
        f"{kind} {trial.name}": trial.settings
        for kind, component in every
        for trial in trials(component)
    }
    tuners: dict[str, dict[str, Any]] = {
        f"tuner {name}": {"method": "peft", "method.tuner": name} for name in TUNERS
    }
    for name in ("c3a", "vblora"):  # their default sizes are for wider backbones
        tuners[f"tuner {name}"] |= {"method.rank": 64}
    del found["method bn_tuning"]  # needs another backbone: see tests/cli/test_methods.py
    return {**found, **tuners}


CASES = cases()


def stored(bench: Bench, settings: Mapping[str, Any], out: Path) -> RunDirectory:
    """Runs one epoch, with the first companion that the component goes with."""
    refusals = []
    for companion in COMPANIONS:
        try:
            resolved = bench.resolve({**companion, **settings})
            runtime = bench.runtime(out)
            result = execute(resolved, bench.registry, runtime, "always", SilentReporter())
        except (ConfigError, NothingMatchedError) as error:
            refusals.append(error.message)
        else:
            return RunDirectory(result.path)
    raise AssertionError(f"it goes with nothing: {refusals}")


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench.of(load_plugins())


@pytest.fixture(scope="module")
def images(bench: Bench) -> Tensor:
    """The test images of the synthetic set, (N, 3, R, R) uint8."""
    batches = bench.build({}).evaluation_batches("test")
    (batch,) = batches.of([(0, np.arange(len(batches.split)))])
    return batch.views[:, 0]


def expect_stored_logits(directory: RunDirectory, logits: Tensor) -> None:
    """Checks that logits are those of the trained model, bit for bit."""
    (path,) = directory.path.glob("predictions-*.parquet")
    predictions = Predictions.read(path)
    found = np.take_along_axis(logits.numpy(), predictions.classes, axis=1)
    np.testing.assert_array_equal(found, predictions.logits)


@pytest.mark.parametrize("case", all_but(FIRST, CASES))
def test_a_model_is_rebuilt_without_its_data_set(
    bench: Bench, images: Tensor, tmp_path: Path, case: str
) -> None:
    """`load_model` finds no plugin of the synthetic set: it is registered in the bench alone."""
    directory = stored(bench, CASES[case], tmp_path)
    state = torch.get_rng_state()
    model = load_model(directory.path, "cpu")
    expect_stored_logits(directory, model(images))
    assert torch.equal(torch.get_rng_state(), state)
    assert model.class_names == tuple(f"color_{label}" for label in range(4))
    assert model.resolution == images.shape[-1]


def test_a_model_computes_in_the_precision_of_its_run(
    bench: Bench, images: Tensor, tmp_path: Path
) -> None:
    directory = stored(bench, {"precision": "bf16", "method": "bitfit"}, tmp_path)
    model = load_model(directory.path, "cpu")
    assert model.policy.name == "bf16"
    expect_stored_logits(directory, model(images))


def test_an_evaluation_reads_no_training_image(bench: Bench, tmp_path: Path) -> None:
    directory = stored(bench, {"method": "tip_adapter"}, tmp_path)
    resolved = bench.resolve({"method": "tip_adapter"})
    original = resolved.components["dataset"]
    assert isinstance(original.spec, DatasetSpec)

    def without_training_images(config: Any, ctx: DataContext) -> Dataset:
        dataset: Dataset = original.spec.build(config, ctx)
        train = dataset.splits["train"]
        unread = replace(train, images=UnreadImages(len(train)))
        return replace(dataset, splits={**dataset.splits, "train": unread})

    spec = replace(original.spec, build=without_training_images)
    changed = replace(
        resolved,
        components={**resolved.components, "dataset": Component(spec, original.plugin)},
    )
    before = Predictions.read(next(directory.path.glob("predictions-*.parquet")))
    again = evaluate_again(changed, directory, bench.runtime(tmp_path), SilentReporter())
    np.testing.assert_array_equal(again.logits, before.logits)


class UnreadImages:
    """Images that may be counted only."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def read(self, index: int) -> Any:
        raise AssertionError(f"training image {index} was read")

    def name(self, index: int) -> str:
        return str(index)


def test_another_backbone_is_refused(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = stored(bench, {"method": "bitfit"}, tmp_path)

    def changed(config: Any, ctx: Any) -> Backbone:
        backbone: Backbone = CLIP_TINY.build(config, ctx)
        with torch.no_grad():
            next(backbone.parameters()).view(-1)[0] += 1e-3
        return backbone

    monkeypatch.setattr(
        "ltbench_plugins.backbones.clip_tiny.CLIP_TINY", replace(CLIP_TINY, build=changed)
    )
    with pytest.raises(DataError, match="the weights of the backbone are not those"):
        load_model(directory.path, "cpu")


@pytest.mark.parametrize("place", [-1, "pretrained"])
def test_damage_is_refused(bench: Bench, tmp_path: Path, place: int | str) -> None:
    directory = stored(bench, {"method": "zero_shot"}, tmp_path)
    content = bytearray(directory.frozen.read_bytes())
    content[content.index(place.encode()) if isinstance(place, str) else place] ^= 1
    directory.frozen.write_bytes(content)
    with pytest.raises(DataError, match=r"frozen\.safetensors is damaged"):
        load_model(directory.path, "cpu")


def test_tensors_of_another_model_are_refused(bench: Bench, tmp_path: Path) -> None:
    directory = stored(bench, {"method": "zero_shot"}, tmp_path)
    other = stored(bench, {"method": "zero_shot", "seed": 1}, tmp_path)
    shutil.copy(other.frozen, directory.frozen)
    with pytest.raises(DataError, match=f"got {other.path.name}"):
        load_model(directory.path, "cpu")


def test_only_paths_of_the_backbone_can_be_set(bench: Bench, tmp_path: Path) -> None:
    directory = stored(bench, {"method": "zero_shot"}, tmp_path)
    with pytest.raises(ConfigError, match=r"train\.lr: not a path of backbone 'clip_tiny'"):
        load_model(directory.path, "cpu", {"train.lr": 1})


def test_a_run_that_is_not_finished_has_no_model(bench: Bench, tmp_path: Path) -> None:
    directory = stored(bench, {"method": "zero_shot"}, tmp_path)
    (directory.path / "result.json").unlink()
    with pytest.raises(DataError, match="is not finished"):
        load_model(directory.path, "cpu")


def rewrite_as_schema_2(path: Path) -> None:
    """Writes a result in the form that it had before optimizers were components."""
    stored = json.loads(path.read_text())
    run = stored["run"]
    del run["schedule"]
    run["train"] |= run.pop("optimizer")["options"]
    path.write_text(json.dumps({**stored, "schema": 2}))


def test_a_moved_data_set_and_a_run_of_an_older_version(
    cli: Callable[..., Ended], registry: Registry, tmp_path: Path
) -> None:
    counts = {"train": {"ant": 5, "bee": 3}, "test": {"ant": 2, "bee": 1}}
    root = trees.class_folders(tmp_path / "set", counts)
    quick = ("--workers", "0", "--precision", "fp32", "--inference", "center", "--json")
    place = ("--dataset", "folder", "--set", f"dataset.path={root}")
    ran = cli("run", "--method", "tip_adapter", *place, *quick)
    assert ran.code == 0, ran.err
    directory = RunDirectory(tmp_path / ran.json["directory"])
    pixels = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    before = load_model(directory.path, "cpu")(pixels)

    moved = root.rename(tmp_path / "elsewhere")
    assert torch.equal(load_model(directory.path, "cpu")(pixels), before)
    (stored,) = directory.path.glob("predictions-*.parquet")
    stored.unlink()
    evaluate = ("eval", str(directory.path), "--json")
    assert cli(*evaluate).code == 4
    again = cli(*evaluate, "--set", f"dataset.path={moved}")
    assert again.json["metrics"]["accuracy"] == ran.json["metrics"]["accuracy"]

    directory.frozen.unlink()
    with pytest.raises(DataError, match=r"frozen\.safetensors cannot be read"):
        load_model(directory.path, "cpu")
    rewrite_as_schema_2(directory.path / "result.json")
    with pytest.raises(DataError, match="older version of ltbench, and its model needs the data"):
        load_model(directory.path, "cpu")
    there = load_model(directory.path, "cpu", {"dataset.path": str(moved)})
    assert torch.equal(there(pixels), before)
