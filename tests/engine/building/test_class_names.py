"""Class names that a tokenizer makes one text of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer
from torch import nn

from ltbench.backbone import TextTower
from ltbench.engine.building.class_names import indistinct_classes, name_warnings
from ltbench_plugins.backbones.clip_tiny import tokenize
from tests import trees
from tests.conftest import Ended

LONG = "a very long name that goes on and on and "


@pytest.mark.parametrize(
    ("names", "by_clip", "by_clip_tiny"),
    [
        (["hot dog", "cat", "hot_dog"], [[0, 2]], [[0, 2]]),
        (["Hot_dog", "hot dog", "cat"], [[0, 1]], []),  # clip_tiny reads capitals
        (["cat", "cat", "dog"], [[0, 1]], [[0, 1]]),
        ([f"{LONG}one", f"{LONG}two"], [], [[0, 1]]),  # cut at 40 tokens
        ([f"{LONG * 9}one", f"{LONG * 9}two"], [[0, 1]], [[0, 1]]),  # cut at 77
        (["cat", "cats"], [], []),
    ],
)
def test_names_are_compared_as_tokens(
    names: list[str], by_clip: list[list[int]], by_clip_tiny: list[list[int]]
) -> None:
    clip = TextTower(nn.Identity(), SimpleTokenizer())
    assert indistinct_classes(clip, names) == by_clip
    assert indistinct_classes(TextTower(nn.Identity(), tokenize), names) == by_clip_tiny


def test_many_groups_are_counted() -> None:
    same = TextTower(nn.Identity(), lambda texts: torch.arange(len(texts))[:, None] // 2)
    told = name_warnings(same, [f"n{label}" for label in range(60)], "pets")
    assert len(told) == 21
    assert told[0].startswith("classes 0 and 1 of pets have names that become the same tokens, ")
    assert told[-1].startswith("20 other classes of pets")


def test_a_run_warns_of_them(cli: Callable[..., Ended], tmp_path: Path) -> None:
    counts = {"train": {"hot dog": 3, "hot_dog": 2}, "test": {"hot dog": 1, "hot_dog": 1}}
    root = trees.class_folders(tmp_path / "set", counts)
    quick = ("--epochs", "1", "--workers", "0", "--precision", "fp32", "--json")
    ended = cli("run", "--dataset", "folder", "--set", f"dataset.path={root}", *quick)
    [warning] = ended.json["warnings"]
    assert "'hot dog', 'hot_dog': the text tower cannot distinguish them" in warning
    looked = cli("data", "verify", "folder", "--set", f"dataset.path={root}")
    assert "differ in capitals or underscores only" in looked.out
