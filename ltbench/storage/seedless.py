"""Stored runs whose result no seed changes: they train nothing and draw nothing."""

from __future__ import annotations

import functools

from ltbench.config.options import parse_options
from ltbench.specs import BackboneSpec, MethodSpec
from ltbench.storage.result_schema import RunResult

_MAX_ECE_DIFFERENCE = 1e-3  # percent points, which rounding on another machine may change


def is_seedless(run: RunResult) -> bool:
    """Returns whether another seed would give the same result, as the run's method declares.

    False where the method is not installed: its runs are then those of one seed.

    Args:
        run: Stored run.
    """
    if not _trains_nothing(run):
        return False
    spec = run.spec
    components = _components()
    method, backbone = (components[kind].get(getattr(spec, kind).name) for kind in _KINDS)
    if method is None or backbone is None:
        return False
    assert isinstance(method, MethodSpec)
    assert isinstance(backbone, BackboneSpec)
    choice = spec.backbone
    config, _ = parse_options(
        backbone.config, {**choice.options, **choice.paths}, "backbone", choice.name
    )
    return method.seedless and config is not None and not backbone.random_weights(config)


def is_same_result(first: RunResult, second: RunResult) -> bool:
    """Returns whether two runs that differ in their seed have the same result without training.

    Args:
        first: Stored run.
        second: Stored run.
    """
    if not _trains_nothing(first) or not _trains_nothing(second):
        return False
    one, other = first.metrics, second.metrics
    return (
        one.per_class == other.per_class
        and one.macro_f1 == other.macro_f1
        and one.test_images == other.test_images
        and abs(one.ece - other.ece) <= _MAX_ECE_DIFFERENCE
    )


_KINDS = ("method", "backbone")


def _trains_nothing(run: RunResult) -> bool:
    return run.training.epochs == 0 and run.learned.total == 0 and run.refinement is None


@functools.cache
def _components() -> dict[str, dict[str, object]]:
    """Returns the specs of installed methods and backbones by kind and name."""
    from ltbench.registry.load import load_plugins

    known = load_plugins().components
    return {kind: {name: one.spec for name, one in known[kind].items()} for kind in _KINDS}
