from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ltbench.board.commands import CommandWriter
from ltbench.config.resolve import resolve
from ltbench.config.runspec import RunSpec
from ltbench.registry.registry import Registry


def spec_of(registry: Registry, **settings: Any) -> RunSpec:
    keys = {key.replace("__", "."): value for key, value in settings.items()}
    return resolve(registry, keys, Path(), identify=False).spec


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": 3},
        {"method": "lora", "method__dim": 2, "train__lr": 0.5, "data_seed": 4, "select": "val"},
        {"init__template": "a '$(rm -rf ~)' of {}; \"x\" `y`", "train__accumulate": 2},
        {"optimizer": "adamw", "dataset__ratio": 10.0, "precision": "bf16", "on_corrupt": "skip"},
    ],
)
def test_a_command_leads_to_its_run(registry: Registry, settings: dict[str, Any]) -> None:
    spec = spec_of(registry, **settings)
    found = CommandWriter(registry).write(spec)
    assert found.doubt == ""
    words = shlex.split(found.line)
    assert words[:2] == ["ltbench", "run"]
    assert words[-2:] == ["--seed", str(spec.seed)]
    if "init__template" in settings:  # the shell gives it back as it was
        assert f"init.template={settings['init__template']}" in words


def test_paths_are_a_word(registry: Registry) -> None:
    spec = spec_of(registry, dataset="folder", dataset__path="/home/ada/secret")
    found = CommandWriter(registry).write(spec)
    assert "dataset.path=PATH" in found.line
    assert "secret" not in found.line
    assert found.doubt == ""


def test_doubts_are_named(registry: Registry) -> None:
    writer = CommandWriter(registry)
    spec = spec_of(registry)
    older = replace(spec, augmentation=replace(spec.augmentation, version=99))
    assert writer.write(older).doubt == (
        f"installed here are augmentation {spec.augmentation.name} in version "
        f"{spec.augmentation.version}, the run used version 99"
    )
    other = replace(spec, loss=replace(spec.loss, plugin="ltbench_rare 1.2"))
    assert "the run used that of ltbench_rare" in writer.write(other).doubt
    missing = replace(spec, method=replace(spec.method, name="nowhere"))
    assert writer.write(missing).doubt.startswith("it is refused here: ")
