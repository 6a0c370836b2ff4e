"""Build of a run's data set; without torch, for verbs that read images alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from ltbench.config.resolve import Resolved
from ltbench.data import Dataset
from ltbench.data.holdout import hold_out
from ltbench.data.limit import limit_images
from ltbench.progress import ProgressReporter
from ltbench.registry.attribution import attribute_errors
from ltbench.specs import DatasetSpec

_Built = TypeVar("_Built")


def build(kind: str, expected: type[_Built], resolved: Resolved, context: Any) -> _Built:
    """Builds a component and checks the type of what it built.

    Raises:
        PluginError: The object is of another type, or could not be built.
    """
    built = resolved.build(kind, context)
    if not isinstance(built, expected):
        fault = f"built a {type(built).__name__}, not a {expected.__name__}"
        raise resolved.components[kind].contract_error(fault)
    return built


def build_dataset(resolved: Resolved, progress: ProgressReporter) -> Dataset:
    """Returns the data set of a run: limited, and with a validation split, where the run says so.

    Args:
        resolved: Choices of the run; no other component than the data set is needed.
        progress: Reporter of what is read.

    Raises:
        DataError: The data set is missing or damaged.
        PluginError: Its plugin built something else.
    """
    component = resolved.components["dataset"]
    context = replace(resolved.data, progress=progress)
    assert isinstance(component.spec, DatasetSpec)
    with attribute_errors(component):
        component.spec.check(resolved.configs["dataset"], context)
    dataset = build("dataset", Dataset, resolved, context)
    dataset = limit_images(dataset, resolved.spec.limit, resolved.spec.data_seed)
    if "val" in dataset.splits or not resolved.spec.uses_val:
        return dataset
    return hold_out(dataset, resolved.spec.data_seed)
