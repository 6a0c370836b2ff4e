from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ltbench.config.resolve import Resolved, resolve, settings_of
from ltbench.config.runspec import RunSpec, hash_of
from ltbench.config.text import Text
from ltbench.errors import ConfigError, DataError, MissingPathError
from ltbench.registry.registry import Registry

ROOT = Path("data")


def settle(registry: Registry, **settings: Any) -> Resolved:
    keys = {key.replace("__", "."): value for key, value in settings.items()}
    return resolve(registry, keys, ROOT)


def test_nothing_asked_for_is_lift_plus_on_what_is_always_there(registry: Registry) -> None:
    spec = settle(registry).spec
    chosen = {kind: choice.name for kind, choice in spec.choices().items()}
    assert chosen == {
        "dataset": "digits_lt",
        "backbone": "clip_tiny",
        "method": "lift_plus",
        "head": "cosine",
        "init": "semantic",
        "loss": "logit_adjusted",
        "sampling": "instance_balanced",
        "augmentation": "mda",
        "optimizer": "sgd",
        "schedule": "cosine_per_epoch",
        "refinement": "none",
        "inference": "tte",
    }


def test_user_beats_dataset_beats_method_beats_default(registry: Registry) -> None:
    resolved = settle(registry)
    assert resolved.spec.train.epochs == 10  # the data set's; the method says 5
    assert resolved.sources["train.epochs"] == "recipe of dataset digits_lt"
    assert resolved.spec.train.lr == 0.02
    resolved = settle(registry, train__epochs=Text("3"), method="full")
    assert resolved.spec.train.epochs == 3
    assert resolved.sources["train.epochs"] == "user"
    assert resolved.spec.train.lr == 0.001
    assert resolved.sources["train.lr"] == "recipe of method full"


def test_another_component_drops_the_options_of_the_first(registry: Registry) -> None:
    assert settle(registry, loss="ce").spec.loss.options == {}
    with pytest.raises(ConfigError, match=r"loss\.tau"):
        settle(registry, loss="ce", loss__tau=Text("2"))


def test_what_a_method_fixes_has_options_of_its_own(registry: Registry) -> None:
    spec = settle(registry, method="wise_ft", refinement__alpha=Text("0.25")).spec
    assert spec.refinement.name == "wise_ft"
    assert spec.refinement.options == {"alpha": 0.25}


def test_what_defines_a_method_cannot_be_overruled(registry: Registry) -> None:
    spec = settle(registry, method="zero_shot").spec
    assert (spec.train.epochs, spec.head.options["scale"]) == (0, None)
    with pytest.raises(ConfigError, match="zero_shot"):
        settle(registry, method="zero_shot", train__epochs=Text("3"))


def test_all_faults_are_shown_together(registry: Registry) -> None:
    wrong = {"loss": "cee", "train__lr": Text("-1"), "foo__x": "1", "sed": Text("1")}
    with pytest.raises(ConfigError) as caught:
        settle(registry, method="lift_pluss", **wrong)
    message = caught.value.message
    for said in ("method 'lift_pluss'", "loss 'cee'", "train.lr", "'foo'", "sed"):
        assert said in message
    assert "lift_plus" in caught.value.hint


def test_a_missing_data_set_says_what_to_do(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        resolve(registry, {"dataset": "imagenet_lt"}, tmp_path)
    assert "train.txt" in caught.value.message
    assert "--data-root" in caught.value.hint


def test_a_spec_survives_json_and_resolves_to_itself(registry: Registry) -> None:
    spec = settle(registry, method__layers=Text("[0, 2]"), train__lr=Text("0.1")).spec
    assert RunSpec.from_dict(spec.to_dict()).hash == spec.hash
    assert resolve(registry, settings_of(spec), ROOT).spec == spec


def test_the_hash_follows_what_changes_numbers(registry: Registry) -> None:
    base = settle(registry).spec.hash
    for key, value in {
        "seed": "1",
        "data_seed": "1",
        "method": "full",
        "loss.tau": "2",
        "train.batch_size": "16",
        "precision": "fp32",
        "split": "val",
        "dataset.ratio": "10",
    }.items():
        assert resolve(registry, {key: Text(value)}, ROOT).spec.hash != base, key


def test_runs_of_the_first_optimizer_and_schedule_keep_their_hash(registry: Registry) -> None:
    """Before these were components, momentum and weight decay were keys of the training."""
    described = settle(registry, optimizer__momentum=Text("0.5")).spec.to_dict()
    first = {k: v for k, v in described.items() if k not in ("optimizer", "schedule")}
    first["train"] = {**first["train"], "momentum": 0.5, "weight_decay": 5e-4}
    assert hash_of(first) == hash_of(described)
    demo = settle(registry, method="lift_plus", dataset="digits_lt").spec
    assert demo.hash == "199f5f1adf86"
    hashes = {demo.hash}
    for settings in (
        {"optimizer": "adamw"},
        {"optimizer": "timm", "optimizer.name": "sgd"},
        {"optimizer.momentum": 0.5},
        {"optimizer.weight_decay": 0.5},
        {"schedule": "cosine"},
        {"schedule": "constant"},
        {"schedule.warmup_epochs": 1},
    ):
        hashes.add(resolve(registry, settings, ROOT).spec.hash)
    assert len(hashes) == 8


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("optimizer", {"plugin": "somebody 1.0"}),
        ("optimizer", {"version": 2}),
        ("schedule", {"plugin": "somebody 1.0"}),
        ("schedule", {"version": 2}),
    ],
)
def test_another_definition_of_the_same_name_has_another_hash(
    registry: Registry, part: str, change: dict[str, Any]
) -> None:
    described = settle(registry).spec.to_dict()
    changed = {**described, part: {**described[part], **change}}
    assert hash_of(changed) != hash_of(described)


@pytest.mark.parametrize("name", ["momentum", "weight_decay"])
def test_a_key_that_moved_is_named_with_its_new_place(registry: Registry, name: str) -> None:
    with pytest.raises(ConfigError) as raised:
        resolve(registry, {f"train.{name}": Text("0.5")}, ROOT)
    expected = f"train.{name}: not a key of the training any more: set optimizer.{name}"
    assert raised.value.message == expected


def test_the_hash_follows_the_version_of_a_definition(registry: Registry) -> None:
    described = settle(registry).spec.to_dict()
    before = {**described, "loss": {k: v for k, v in described["loss"].items() if k != "version"}}
    raised = {**described, "loss": {**described["loss"], "version": 2}}
    assert hash_of(before) == hash_of(described)  # stored before components had versions
    assert hash_of(raised) != hash_of(described)


def test_the_hash_ignores_where_things_lie(registry: Registry, tmp_path: Path) -> None:
    hashes = set()
    for folder in ("a", "b"):
        path = tmp_path / folder / "weights.safetensors"
        path.parent.mkdir()
        path.write_bytes(b"the same")
        settings = {"backbone": "clip_vit_b16", "backbone.weights": Text(str(path))}
        hashes.add(resolve(registry, settings, tmp_path / folder).spec.hash)
    assert len(hashes) == 1
    path.write_bytes(b"others")
    assert resolve(registry, settings, tmp_path).spec.hash not in hashes


def test_missing_weights_are_a_wrong_path(registry: Registry) -> None:
    with pytest.raises(MissingPathError, match="the weights file"):
        settle(registry, backbone="clip_vit_b16", backbone__weights=Text("/nowhere.bin"))
