"""Checks of data sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ltbench.contexts import DataContext
from ltbench.data import Dataset
from ltbench.registry.component import Component
from ltbench.specs import DatasetSpec
from ltbench.testing.bench import Bench, Trial, trials
from ltbench.testing.check import Check, bind


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of a data set."""
    functions = (check_splits, check_seeds)
    for trial in trials(component):
        yield from bind(f"dataset {trial.name}", functions, component, bench, trial)


def _built(component: Component, bench: Bench, trial: Trial, data_seed: int = 0) -> Dataset:
    ctx = DataContext(root=Path("data"), data_seed=data_seed)
    dataset = component.spec.build(bench.config(trial, component), ctx)
    assert isinstance(dataset, Dataset), f"build returns a {type(dataset).__name__}"
    return dataset


def check_splits(component: Component, bench: Bench, trial: Trial) -> None:
    """Every split has RGB images, and every class name is one line."""
    dataset = _built(component, bench, trial)
    assert all(name.strip() and "\n" not in name for name in dataset.class_names)
    for name, split in dataset.splits.items():
        for index in {0, len(split) - 1}:
            image = split.images.read(index)
            shown = f"image {index} of {name} is {image.dtype} {image.shape}"
            assert image.dtype == np.uint8, shown
            assert image.ndim == 3, shown
            assert image.shape[2] == 3, shown


def check_seeds(component: Component, bench: Bench, trial: Trial) -> None:
    """The same data seed gives the same images; no data seed changes the test split."""
    first, second, other = (_built(component, bench, trial, seed) for seed in (0, 0, 1))
    for name, split in first.splits.items():
        np.testing.assert_array_equal(split.labels, second.splits[name].labels)
    np.testing.assert_array_equal(first.splits["test"].labels, other.splits["test"].labels)
    spec = component.spec
    assert isinstance(spec, DatasetSpec)
    config = bench.config(trial, component)
    ctx = DataContext(root=Path("data"), data_seed=0)
    assert spec.identity(config, ctx) == spec.identity(config, ctx)
