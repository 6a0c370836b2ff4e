"""Data set plugin for ltbench: the objects of photographs with COCO annotations."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import DatasetSpec, hookimpl
from ltbench_coco.dataset import COCO_OBJECTS

LTBENCH_API = 1
"""Version of the plugin API that this package was built for."""


@hookimpl
def ltbench_register_datasets() -> Iterable[DatasetSpec]:
    """Returns the data set of this package."""
    return (COCO_OBJECTS,)
