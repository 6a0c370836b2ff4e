"""Methods: which parameters of the image encoder are learned."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import MethodSpec, hookimpl
from ltbench_plugins.methods.adaptformer import ADAPTFORMER
from ltbench_plugins.methods.classifier_only import CLASSIFIER_ONLY
from ltbench_plugins.methods.full import FULL
from ltbench_plugins.methods.lift_plus import LIFT_PLUS
from ltbench_plugins.methods.zero_shot import ZERO_SHOT


@hookimpl
def ltbench_register_methods() -> Iterable[MethodSpec]:
    """The built-in methods."""
    return [LIFT_PLUS, ADAPTFORMER, CLASSIFIER_ONLY, FULL, ZERO_SHOT]
