"""Data sets: long-tailed benchmarks, data sets within packages, and readers of own images."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import DatasetSpec, hookimpl
from ltbench_plugins.datasets.cifar import CIFAR10_LT, CIFAR100_LT
from ltbench_plugins.datasets.csv import CSV
from ltbench_plugins.datasets.digits_lt import DIGITS_LT
from ltbench_plugins.datasets.elpv import ELPV
from ltbench_plugins.datasets.folder import FOLDER
from ltbench_plugins.datasets.food101_lt import FOOD101_LT
from ltbench_plugins.datasets.glyphs_lt import GLYPHS_LT
from ltbench_plugins.datasets.grocery_store import GROCERY_STORE
from ltbench_plugins.datasets.huggingface import HUGGINGFACE
from ltbench_plugins.datasets.imagenet_lt import IMAGENET_LT
from ltbench_plugins.datasets.inat2018 import INAT2018
from ltbench_plugins.datasets.places_lt import PLACES_LT


@hookimpl
def ltbench_register_datasets() -> Iterable[DatasetSpec]:
    """Returns the built-in data sets."""
    return [
        CIFAR10_LT,
        CIFAR100_LT,
        CSV,
        DIGITS_LT,
        ELPV,
        FOLDER,
        FOOD101_LT,
        GLYPHS_LT,
        GROCERY_STORE,
        HUGGINGFACE,
        IMAGENET_LT,
        INAT2018,
        PLACES_LT,
    ]
