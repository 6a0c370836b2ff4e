"""The second stage of a run: what it may ask for, and that it can be interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ltbench.config.resolve import resolve
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.builder import build_run
from ltbench.engine.run import count_learned
from ltbench.engine.training.refinement import RefinementStage, refine
from ltbench.engine.training.train_loader import image_loader
from ltbench.engine.training.trainer import Trainer
from ltbench.errors import PluginError
from ltbench.progress import SilentReporter
from ltbench.registry.registry import Registry
from ltbench.storage.result_schema import RunDescription
from ltbench.storage.run_directory import RunDirectory
from tests.conftest import Ended
from tests.strangers import component, install

CPU = torch.device("cpu")
SETTINGS = {
    "dataset.largest": 10,
    "dataset.ratio": 4,
    "method": "classifier_only",
    "head": "linear",
    "train.epochs": 2,
}


def trainer_of(registry: Registry, tmp_path: Path, **more: Any) -> Any:
    resolved = resolve(registry, {**SETTINGS, **more}, tmp_path)
    built = build_run(resolved, LoaderConfig(CPU, 0, False), "fp32")
    directory = RunDirectory(tmp_path / "run")
    directory.begin(RunDescription.of(resolved.spec))
    made = Trainer(built, directory, SilentReporter())
    return resolved.spec, made


@pytest.fixture
def trainer(registry: Registry, tmp_path: Path) -> Any:
    """Trains a linear head on 52 digits."""
    return trainer_of(registry, tmp_path)


@pytest.mark.parametrize(
    "weights",
    [[1.0] * 9, [[1.0] * 10], [np.nan] + [1.0] * 9, [-1.0] + [1.0] * 9, [0.0] * 10, [np.inf] * 10],
    ids=["short", "matrix", "NaN", "negative", "zero", "infinite"],
)
def test_sampling_weights_must_be_such(trainer: Any, weights: Any) -> None:
    _, made = trainer
    with pytest.raises(PluginError, match="class weights must be 10 finite numbers"):
        image_loader(made.built, 0, 1, np.array(weights))


def test_weights_of_classes_without_images_are_not_enough(
    registry: Registry, tmp_path: Path
) -> None:
    settings = {**SETTINGS, "dataset.largest": 2, "dataset.ratio": 8}
    resolved = resolve(registry, settings, tmp_path)
    built = build_run(resolved, LoaderConfig(CPU, 0, False), "fp32")
    weights = (built.dataset.class_counts == 0).astype(np.float64)
    assert weights.any()
    with pytest.raises(PluginError, match="not all zero where there are training images"):
        image_loader(built, 0, 1, weights)


def test_fit_learns_what_it_is_given_and_nothing_else(trainer: Any) -> None:
    spec, made = trainer
    model = made.built.model
    before = {name: p.detach().clone() for name, p in model.learned().items()}
    assert list(before) == ["head.weight", "head.bias"]
    training = RefinementStage(spec, component("refinement"), made, before, model.learned())
    training.fit([model.head.bias], epochs=3, lr=0.5)
    assert torch.equal(model.head.weight, before["head.weight"])
    assert not torch.equal(model.head.bias, before["head.bias"])
    assert list(model.learned()) == ["head.weight", "head.bias"]  # as before
    assert not model.training
    training.fit([model.head.weight])
    assert not torch.equal(model.head.weight, before["head.weight"])
    stages = [(row["stage"], row["epoch"], round(row["lr"], 3)) for row in training.history]
    rate = spec.train.lr
    assert stages == [
        *[("refinement-1", 0, 0.5), ("refinement-1", 1, 0.375), ("refinement-1", 2, 0.125)],
        *[("refinement-2", 0, rate), ("refinement-2", 1, rate / 2)],
    ]


def test_fit_on_some_images_of_each_class(registry: Registry, tmp_path: Path) -> None:
    spec, made = trainer_of(registry, tmp_path, augmentation="none")
    model = made.built.model
    training = RefinementStage(spec, component("refinement"), made, {}, model.learned())
    features, labels = training.features(3)
    assert labels.bincount().tolist() == [3] * 8 + [2] * 2
    with torch.no_grad():  # the loss has the prior of these images
        logits = model.head(features) + labels.bincount().log()
        expected = torch.nn.functional.cross_entropy(logits, labels)
    training.fit([model.head.bias], per_class=3, min_steps=5)
    assert [row["epoch"] for row in training.history] == list(range(5))  # of one step each
    assert training.history[0]["loss"] == pytest.approx(expected.item(), rel=1e-4)


def test_features_are_those_of_the_encoder_as_it_is(trainer: Any) -> None:
    spec, made = trainer
    model = made.built.model
    training = RefinementStage(spec, component("refinement"), made, {}, model.learned())
    before, labels = training.features()
    assert before.shape == (len(image_loader(made.built, 0, 1)), 128)
    assert labels.bincount().tolist() == made.built.dataset.class_counts.tolist()
    with torch.no_grad():
        model.backbone.model.ln_post.weight.mul_(2)
        model.backbone.model.ln_post.bias.mul_(2)
    assert torch.allclose(training.features()[0], 2 * before, atol=1e-4)
    few, labels = training.features(3)
    assert labels.bincount().tolist() == [min(n, 3) for n in made.built.dataset.class_counts]
    apart = (few[:, None] - 2 * before).abs().amax(dim=-1)  # (few, all)
    assert apart.min(dim=1).values.max() < 1e-4


class Pulling:
    """Pulls logits to 0 after the first epoch, in which it does nothing."""

    strength = 1.0

    def start_epoch(self, progress: float) -> None:
        self.strength = progress

    def __call__(self, logits: Any, labels: Any) -> Any:
        return self.strength * logits.square().mean()


def test_fit_takes_a_loss_of_its_own_and_counts_what_it_learns(trainer: Any) -> None:
    spec, made = trainer
    model = made.built.model
    model.learn_only([model.head.bias])
    training = RefinementStage(spec, component("refinement"), made, {}, model.learned())
    training.fit([model.head.weight], epochs=2, lr=0.1, loss=Pulling())
    assert [row["loss"] > 0 for row in training.history] == [False, True]
    assert list(model.learned()) == ["head.bias"]
    assert count_learned(made.built).head == 10
    assert count_learned(made.built, [*training.fitted, torch.nn.Parameter()]).head == 10 * 129


def test_a_loss_of_a_refinement_is_checked(trainer: Any) -> None:
    spec, made = trainer
    training = RefinementStage(spec, component("refinement"), made, {}, made.built.model.learned())
    with pytest.raises(PluginError, match="returned int, not a scalar with a gradient"):
        training.fit(made.built.model.learned().values(), loss=lambda logits, labels: 3)


@dataclass
class Doubling:
    """Doubles what is learned."""

    def refine(self, encoder: Any, head: Any, training: Any) -> None:
        assert not encoder.training
        with torch.no_grad():
            for name, parameter in training.learned.items():
                parameter.copy_(training.start[name] * 2)


def test_a_run_tells_how_its_refinement_went(trainer: Any) -> None:
    spec, made = trainer
    start = {name: torch.ones_like(p) for name, p in made.built.model.learned().items()}
    stranger = component("refinement")
    assert refine(spec, stranger, made, start) == (None, ())
    made = replace(made, built=replace(made.built, refinement=Doubling()))
    told, trained = refine(spec, stranger, made, start)
    assert told is not None
    assert (told.name, told.history, trained) == ("none", [], [])
    assert (made.built.model.head.weight == 2).all()


class Replacing:
    """Puts a new weight in the place of the head's."""

    def refine(self, encoder: Any, head: Any, training: Any) -> None:
        head.weight = torch.nn.Parameter(head.weight.detach().clone())


def test_a_refinement_writes_into_what_is_learned(trainer: Any) -> None:
    spec, made = trainer
    made = replace(made, built=replace(made.built, refinement=Replacing()))
    with pytest.raises(PluginError, match="put other parameters"):
        refine(spec, component("refinement"), made, {})


STOPPING = """
import os

class Stopping:
    epochs = 0

    def start_epoch(self, progress):
        self.epochs += 1
        if os.environ.get("STOP_AT") == str(self.epochs):
            raise KeyboardInterrupt

    def __call__(self, logits, labels):
        from torch.nn import functional as F
        return F.cross_entropy(logits, labels)

@hookimpl
def ltbench_register_losses():
    return [LossSpec(name="stopping", summary="stops", build=lambda config, ctx: Stopping())]
"""


@pytest.mark.parametrize(
    ("refinement", "options", "stop_at", "resuming"),
    [
        ("crt", ("--set", "refinement.epochs=3"), 5, ["refinement-1 after epoch 2 of 3"]),
        pytest.param(
            *("lws", (), 4, ["training after epoch 2 of 2", "refinement-1 after epoch 1 of 2"]),
            marks=pytest.mark.full,
        ),
        pytest.param(
            *(
                "soup",
                (),
                6,
                ["refinement-1 after epoch 2 of 2", "refinement-2 after epoch 1 of 2"],
            ),
            marks=pytest.mark.full,
        ),
        pytest.param(
            *(
                "lt_soups",
                ("--set", "refinement.replicas=1", "--set", "refinement.min_steps=3"),
                3,  # each subset has a loss of its own, which counts from 1
                ["training after epoch 2 of 2", "refinement-1 after epoch 2 of 3"],
            ),
            marks=pytest.mark.full,
        ),
    ],
)
def test_an_interrupted_refinement_resumes_bit_for_bit(
    cli: Callable[..., Ended],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refinement: str,
    options: tuple[str, ...],
    stop_at: int,
    resuming: list[str],
) -> None:
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch, "stopper", STOPPING)
    arguments = [
        *("run", "--loss", "stopping", "--inference", "center", "--precision", "fp32", "--json"),
        *(part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")),
        *("--set", f"refinement={refinement}", *options),
    ]
    whole = cli(*arguments, "--out", "whole").json
    monkeypatch.setenv("STOP_AT", str(stop_at))
    assert cli(*arguments, "--out", "parts").code == 130
    monkeypatch.delenv("STOP_AT")
    resumed = cli(*arguments, "--out", "parts")
    for said in resuming:
        assert f"resuming {said}" in resumed.err
    first, second = (
        Path(result["directory"], "learned.safetensors").read_bytes()
        for result in (whole, resumed.json)
    )
    assert first == second
    losses = [
        [row["loss"] for row in result["refinement"]["history"]] for result in (whole, resumed.json)
    ]
    assert losses[0] == losses[1]
    assert not Path(resumed.json["directory"], "checkpoint").exists()
