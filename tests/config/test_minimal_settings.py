"""A run in as few settings as it needs makes the same run again."""

from __future__ import annotations

import doctest
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ltbench.config import minimal_settings as shorthand
from ltbench.config.minimal_settings import Shorthand, as_line, dataset_label
from ltbench.config.resolve import resolve
from ltbench.config.text import Text
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from tests.runs import spec_of
from tests.trees import class_folders


def test_examples() -> None:
    assert doctest.testmod(shorthand).failed == 0


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "dataset=digits_lt backbone=clip_tiny method=lift_plus"),
        ({"method": "crt", "seed": 3}, "dataset=digits_lt backbone=clip_tiny method=crt"),
        (
            {"method": "lora", "method__dim": 4, "loss": "ldam", "train__lr": 0.5, "select": "val"},
            "dataset=digits_lt backbone=clip_tiny method=lora loss=ldam method.dim=4 "
            "train.lr=0.5 select=val",
        ),
        (
            {"init__template": "a {}, it's", "data_seed": 2},
            "dataset=digits_lt backbone=clip_tiny method=lift_plus "
            """'init.template=a {}, it'"'"'s' data_seed=2""",
        ),
    ],
)
def test_only_what_is_unusual_is_said(
    registry: Registry, settings: dict[str, Any], line: str
) -> None:
    spec = spec_of(registry, **settings)
    found = as_line(Shorthand(registry).settings(spec))
    assert found == line
    typed = dict(text.split("=", 1) for text in shlex.split(found))
    again = resolve(registry, {key: Text(value) for key, value in typed.items()}, Path("data"))
    assert again.spec == replace(spec, seed=0)


def test_nothing_is_usual_about_what_is_not_installed(registry: Registry) -> None:
    spec = spec_of(registry)
    found = Shorthand(load_plugins([])).settings(spec)
    assert found["train.lr"] == spec.train.lr
    assert found["dataset.ratio"] == 20.0
    assert "seed" not in found


def test_paths_are_nobodys_business(registry: Registry, tmp_path: Path) -> None:
    class_folders(tmp_path, {split: {"a": 1, "b": 1} for split in ("train", "test")})
    spec = spec_of(registry, dataset="folder", dataset__path=str(tmp_path))
    settings = Shorthand(registry).settings(spec)
    assert str(tmp_path) not in as_line(settings)
    assert dataset_label(settings) == "folder"
