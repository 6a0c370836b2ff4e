"""Checks that apply to every kind of component."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ltbench.config.options import as_typed, describe_options, dump_options, parse_options
from ltbench.config.resolve import Resolved
from ltbench.config.text import Text
from ltbench.engine.run import RuntimeConfig, evaluate_again
from ltbench.errors import ConfigError, NothingMatchedError
from ltbench.progress import SilentReporter
from ltbench.registry.component import Component
from ltbench.specs import SPECS, Settings
from ltbench.storage.predictions import Predictions
from ltbench.storage.run_directory import RunDirectory
from ltbench.testing.bench import Bench, Trial, folder, trials
from ltbench.testing.check import Check, Skipped, bind


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of a component."""
    spec = component.spec
    yield from bind(f"{spec.kind} {spec.name}", (check_options,), component)
    if spec.kind not in SPECS:
        return  # not part of a run's specification
    for trial in trials(component):
        yield from bind(f"{spec.kind} {trial.name}", (check_a_run,), component, bench, trial)


def check_options(component: Component) -> None:
    """Options have defaults and help, and are the same after writing and reading them."""
    config = component.spec.config
    defaults = config()
    for option in describe_options(config):
        assert option.help, f"option {option.name} has no help"
    for example in ({}, *component.spec.examples):
        parsed, faults = parse_options(config, example, component.spec.kind, "it")
        assert not faults, faults
        options, paths = dump_options(parsed)
        written = json.loads(json.dumps({**options, **paths}))
        again, faults = parse_options(config, written, component.spec.kind, "it")
        assert not faults, "; ".join(faults)
        assert again == parsed, f"{written} is read as {again}"
        texts = {name: Text(as_typed(value)) for name, value in written.items()}
        typed, faults = parse_options(config, texts, component.spec.kind, "it")
        assert typed == parsed, f"{texts} is read as {typed} ({faults})"
    assert defaults == config(), "two configs with the same options differ"


def check_a_run(component: Component, bench: Bench, trial: Trial) -> None:
    """A run trains and evaluates, and the stored weights reproduce the stored predictions."""
    if component.spec.kind == "backbone" and trial not in bench.backbones():
        raise Skipped("the backbone is too large for a run in the checks")
    with folder() as name:
        resolved, runtime = _first_that_runs(component, bench, trial, Path(name))
        directory = RunDirectory.of(runtime.out, resolved.spec)
        path = directory.predictions(resolved.spec.inference, resolved.spec.inference)
        stored = Predictions.read(path)
        again = evaluate_again(resolved, directory, runtime, SilentReporter())
    np.testing.assert_array_equal(stored.logits, again.logits)
    np.testing.assert_array_equal(stored.classes, again.classes)


def _first_that_runs(
    component: Component, bench: Bench, trial: Trial, out: Path
) -> tuple[Resolved, RuntimeConfig]:
    """Runs the component with the defaults, or with the first other component that fits it."""
    runtime, refusals = bench.runtime(out), []
    for companion in _companions(component, bench):
        try:
            planned = bench.plan({**companion, **trial.settings})
            planned.execute(runtime, "always")
        except (ConfigError, NothingMatchedError) as error:
            refusals.append(error.message)
        else:
            return planned.resolved, runtime
    raise AssertionError(f"no run with it is possible: {'; '.join(dict.fromkeys(refusals))}")


def _companions(component: Component, bench: Bench) -> Iterator[Settings]:
    """Yields settings to try beside a component: the defaults, then heads, methods, backbones."""
    yield {}
    if component.spec.kind in ("backbone", "head", "refinement"):
        named = bench.registry.components
        yield from ({kind: name} for kind in ("head", "method") for name in named[kind])
    if component.spec.kind == "method":
        yield from (backbone.settings for backbone in bench.backbones())
