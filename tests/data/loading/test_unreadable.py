"""Training images that cannot be decoded: counted once, and known to whatever counts images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ltbench.config.resolve import resolve
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.builder import build_run
from ltbench.engine.training.train_loader import image_loader
from ltbench.io.array_cache import Cache
from ltbench.registry.registry import Registry
from tests import trees
from tests.conftest import Ended

Cli = Callable[..., Ended]
COUNTS = {"train": {"ant": 5, "bee": 3, "cat": 2}, "test": {"ant": 1, "bee": 1, "cat": 1}}
SKIP = ("--on-corrupt", "skip", "--dataset", "folder", "--set", "dataset.path=set")
QUICK = ("--workers", "0", "--precision", "fp32", "--inference", "center", "--json")


@pytest.fixture
def damaged(cli: Cli, tmp_path: Path) -> Path:
    """A set that lacks one ant and both cats."""
    root = trees.class_folders(tmp_path / "set", COUNTS)
    for name in ("ant/1", "cat/0", "cat/1"):
        (root / f"train/{name}.jpg").write_bytes(b"<html>")
    return root


@pytest.mark.parametrize("cache", ["1", pytest.param("0", marks=pytest.mark.full)])
@pytest.mark.parametrize("method", ["lift_plus", "ncm", "linear_probe", "tip_adapter"])
def test_skipped_images_are_counted_by_every_method(
    cli: Cli, damaged: Path, method: str, cache: str
) -> None:
    ended = cli("run", *SKIP, *QUICK, "--method", method, "--cache", cache)
    assert ended.code == 0, ended.err
    result = ended.json
    assert result["classes"]["train_images"] == [5, 3, 2]
    assert result["classes"]["trained_on"] == [4, 3, 0]
    assert result["training"]["skipped_images"] == 3
    lost, emptied = result["warnings"]
    assert lost.startswith("3 of 10 training images cannot be decoded")
    assert "such as train/ant/1.jpg" in lost
    assert "no training image can be decoded of 'cat'" in emptied


def test_priors_and_weights_see_the_images_that_are_left(
    registry: Registry, damaged: Path, tmp_path: Path
) -> None:
    settings = {
        "dataset": "folder",
        "dataset.path": str(damaged),
        "on_corrupt": "skip",
        "sampling": "class_balanced",
        "precision": "fp32",
    }
    resolved = resolve(registry, settings, tmp_path)
    loader_config = LoaderConfig(torch.device("cpu"), 0, True, Cache(tmp_path / "cache", 10**8))
    built = build_run(resolved, loader_config)
    assert built.context.class_counts == (4, 3, 0)
    assert len(image_loader(built, 0, 1)) == 7
    assert built.dataset.shot_counts.tolist() == [5, 3, 2]
    assert built.dataset.held_out == 0
    batches = image_loader(built, 0, 1).epoch(0, 4)
    assert sum(len(part) for parts in batches for part in parts) == 7


def test_what_is_held_out_is_not_what_is_left_out(cli: Cli, damaged: Path) -> None:
    ended = cli("run", *SKIP, *QUICK, "--select", "val", "--epochs", "1")
    assert ended.code == 0, ended.err
    assert "held out of the training split: 3 images" in ended.err
    trained = ended.json["classes"]["trained_on"]
    val = ended.json["selection"]["val_images"]
    assert val == 3
    assert sum(trained) + val + ended.json["training"]["skipped_images"] == 10


def test_a_set_of_nothing_but_damage_ends_the_run(cli: Cli, damaged: Path) -> None:
    for path in (damaged / "train").rglob("*.jpg"):
        path.write_bytes(b"<html>")
    ended = cli("run", *SKIP, *QUICK)
    assert ended.code == 4
    assert "no training image can be decoded" in ended.err
