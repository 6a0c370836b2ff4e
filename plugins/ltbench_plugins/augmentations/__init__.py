"""Augmentations: the views of a training image in each epoch, and changes of their pixels."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import AugmentationSpec, hookimpl
from ltbench_plugins.augmentations.cutmix import CUTMIX
from ltbench_plugins.augmentations.mda import MDA
from ltbench_plugins.augmentations.mixup import MIXUP
from ltbench_plugins.augmentations.none import NONE
from ltbench_plugins.augmentations.randaugment import RANDAUGMENT
from ltbench_plugins.augmentations.standard import STANDARD


@hookimpl
def ltbench_register_augmentations() -> Iterable[AugmentationSpec]:
    """Returns the built-in augmentations."""
    return [CUTMIX, MDA, MIXUP, NONE, RANDAUGMENT, STANDARD]
