"""Warnings that are stored with a result, because they limit what it means."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ltbench.backbone import Backbone
from ltbench.config.resolve import Resolved
from ltbench.config.runspec import RunSpec
from ltbench.config.uniform_losses import has_uniform_prior
from ltbench.data import Dataset
from ltbench.data.split_warnings import prior_warning, untested_classes
from ltbench.data.verify import shared_files
from ltbench.engine.building.class_names import name_warnings
from ltbench.registry.attribution import attribute_errors
from ltbench.specs import BackboneSpec, DatasetSpec


def result_warnings(resolved: Resolved, dataset: Dataset, backbone: Backbone) -> list[str]:
    """Returns the warnings of a run."""
    return [
        *_quick_look(resolved.spec),
        *dataset.notes,
        *_shared_files(dataset),
        *backbone.warnings,
        *_seen_labels(resolved),
        *_indistinct_names(resolved, dataset, backbone),
        *_small_validation(resolved, dataset),
        *_test_split(resolved, dataset),
    ]


def _quick_look(spec: RunSpec) -> Iterator[str]:
    """Yields a warning if the run is a quick look."""
    if not spec.comparable:
        yield (
            f"quick look ({spec.quick_text}): the numbers are comparable with no others, and "
            "leaderboards, comparisons and reports leave them out"
        )


def _shared_files(dataset: Dataset) -> Iterator[str]:
    """Yields a warning for each pair of splits that list the same files."""
    for (first, second), count in shared_files(dataset).items():
        if first != second:
            yield (
                f"{first} and {second} share {count:,} images: what was trained on, or chosen by, "
                "tests nothing"
            )


def _test_split(resolved: Resolved, dataset: Dataset) -> Iterator[str]:
    """Yields warnings about the test split, where it is the one of the evaluation."""
    if resolved.spec.split != "test":
        return
    yield from untested_classes(dataset)
    loss, config = resolved.components["loss"], resolved.configs["loss"]
    trains = resolved.spec.train.epochs > 0
    if trains and has_uniform_prior(loss, config, dataset.class_counts):
        yield from prior_warning(dataset, [loss.spec.name])


def _seen_labels(resolved: Resolved) -> Iterator[str]:
    """Yields a warning if the backbone was trained with the labels of the data set."""
    seen, data = resolved.components["backbone"].spec, resolved.components["dataset"].spec
    assert isinstance(seen, BackboneSpec)
    assert isinstance(data, DatasetSpec)
    with attribute_errors(resolved.components["backbone"]):
        label_sets = seen.label_sets(resolved.configs["backbone"])
    if data.label_set and data.label_set in label_sets:
        instead = f"; {seen.without_labels}" if seen.without_labels else ""
        yield (
            f"the weights of {seen.name} were trained with the labels of {data.label_set}, the "
            f"classes of {data.name}: its rare classes are not rare to them{instead}"
        )


def _indistinct_names(resolved: Resolved, dataset: Dataset, backbone: Backbone) -> list[str]:
    """Returns warnings of class names that are the same text to the text tower."""
    if backbone.text is None:
        return []
    with attribute_errors(resolved.components["backbone"]):
        name = resolved.components["dataset"].spec.name
        return name_warnings(backbone.text, dataset.class_names, name)


def _small_validation(resolved: Resolved, dataset: Dataset) -> Iterator[str]:
    """Yields a warning if the validation split lacks classes."""
    if not resolved.spec.uses_val:
        return
    val = dataset.splits["val"]
    present = len(np.unique(val.labels))
    if present < dataset.num_classes:
        yield (
            f"validation knows {present:,} of {dataset.num_classes:,} classes, by "
            f"{len(val):,} images: what is chosen on it ignores the others"
        )
