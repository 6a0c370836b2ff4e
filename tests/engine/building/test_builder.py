"""What the engine says of a run's parts beyond building them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from ltbench.backbone import Backbone, Block
from ltbench.cli.output import print_plan, print_result
from ltbench.config.resolve import Resolved
from ltbench.contexts import BackboneContext
from ltbench.engine.building.builder import build_run
from ltbench.engine.estimate import estimate
from ltbench.engine.model.fingerprint import weights_fingerprint
from ltbench.engine.run import execute
from ltbench.errors import NothingMatchedError
from ltbench.progress import SilentReporter
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.specs import BackboneSpec, DatasetSpec
from ltbench.testing.bench import Bench


class Notes(SilentReporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def resolved(bench: Bench, labels: str, seen: tuple[str, ...], instead: str = "") -> Resolved:
    """A run on a data set with somebody's labels, with a backbone that saw some labels."""
    run = bench.resolve({"method": "classifier_only"})
    dataset, backbone = (run.components[kind] for kind in ("dataset", "backbone"))
    assert isinstance(dataset.spec, DatasetSpec)
    assert isinstance(backbone.spec, BackboneSpec)
    saw = replace(backbone.spec, label_sets=lambda config: seen, without_labels=instead)
    changed = {
        "dataset": Component(replace(dataset.spec, label_set=labels), dataset.plugin),
        "backbone": Component(saw, backbone.plugin),
    }
    return replace(run, components={**run.components, **changed})


@pytest.fixture
def bench(registry: Registry) -> Bench:
    return Bench.of(registry)


@pytest.mark.parametrize(
    ("labels", "seen", "warned"),
    [
        ("birds", ("cars", "birds"), True),
        ("birds", ("cars",), False),
        ("birds", (), False),
        ("", ("birds",), False),
    ],
)
def test_weights_that_saw_the_labels_are_warned_of(
    bench: Bench, tmp_path: Path, labels: str, seen: tuple[str, ...], warned: bool
) -> None:
    run, progress = resolved(bench, labels, seen, "take others"), Notes()
    result = execute(run, bench.registry, bench.runtime(tmp_path), "never", progress)
    expected = [
        "the weights of clip_tiny were trained with the labels of birds, the classes of "
        "synthetic_long_tailed: its rare classes are not rare to them; take others"
    ]
    assert result.warnings == (expected if warned else [])
    assert (f"warning: {expected[0]}" in progress.notes) == warned


def test_a_warning_is_shown_before_and_after_a_run(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = resolved(bench, "birds", ("birds",))
    runtime = bench.runtime(tmp_path)
    planned = estimate(run, runtime)
    print_plan(run, planned, json=False)
    assert "warning             the weights of clip_tiny" in capsys.readouterr().out
    print_plan(run, planned, json=True)
    assert '"the weights of clip_tiny were trained' in capsys.readouterr().out
    result = execute(run, bench.registry, runtime, "never", SilentReporter())
    print_result(result, json=False, stored=False)
    shown = capsys.readouterr().out
    assert "warning             the weights of clip_tiny" in shown
    assert "not rare to them\n" in shown, "nothing is offered where the backbone names nothing"


def test_the_fingerprint_is_of_the_weights_before_anything_was_learned(
    bench: Bench, tmp_path: Path
) -> None:
    pretrained: Any = bench.resolve({}).build("backbone", BackboneContext(seed=0))
    for method in ("full", "lift_plus", "zero_shot"):
        run = bench.resolve({"method": method})
        result = execute(run, bench.registry, bench.runtime(tmp_path), "never", SilentReporter())
        assert result.environment.weights == weights_fingerprint(pretrained)


def test_a_role_that_the_model_never_calls_cannot_be_learned(bench: Bench) -> None:
    run = bench.resolve({"method": "lora"})
    original = run.components["backbone"]

    def with_idle_projections(config: Any, ctx: BackboneContext) -> Backbone:
        backbone: Backbone = original.spec.build(config, ctx)
        for block in backbone.blocks:
            block.module.add_module("idle", nn.Linear(128, 3 * 128))
        backbone.blocks = tuple(
            Block(block.module, {**block.paths, "qkv": "idle"}) for block in backbone.blocks
        )
        return backbone

    changed = Component(replace(original.spec, build=with_idle_projections), original.plugin)
    run = replace(run, components={**run.components, "backbone": changed})
    with pytest.raises(NothingMatchedError, match="do not depend on 24 of 24 weights"):
        build_run(run, bench.runtime(Path()).loader_config(run.spec))
