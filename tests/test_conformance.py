"""The conformance kit over every built-in component."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from ltbench.registry.registry import Registry
from ltbench.testing import checks_for, parametrize_with_checks
from tests import plugins
from tests.covered import COVERED

HEAVY = (
    "dataset elpv",
    "dataset glyphs_lt",
    "tracker mlflow",
    "in1k_efficientnet_lite0",
)
"""Data sets of many photographs, a tracker whose imports alone take seconds, and a backbone for
larger images than those of the others."""

A_RUN, RUN_DAILY = ": a run", ("loss ", "inference ")
"""A check that is a whole run, and the kinds of which each component is run every day."""

COMPILES, COMPILED = "compiles without a break", ("method lift_plus ", "method lora ")
"""A check that takes seconds a method, and the methods with which it is made every day."""


def cases() -> list[Any]:
    """The checks that repeat no other, the heavy ones left to `make test-full`."""
    _, found = parametrize_with_checks(repeated=False).args
    return [
        pytest.param(*case.values, id=case.id, marks=[*case.marks, *_left(case.id)])
        for case in found
    ]


def _left(name: str) -> list[pytest.MarkDecorator]:
    heavy = any(fragment in name for fragment in HEAVY)
    compiles = COMPILES in name and not name.startswith(COMPILED)
    runs = A_RUN in name and not name.startswith(RUN_DAILY)
    return [pytest.mark.full] if heavy or compiles or runs else []


# Of mlflow's own code on a recent sqlalchemy, when it first opens a database.
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
@pytest.mark.parametrize("check", cases())
def test_conformance(check: Callable[[], None]) -> None:
    check()


@pytest.mark.full
@parametrize_with_checks(repeated=True)
def test_conformance_on_every_backbone(check: Callable[[], None]) -> None:
    check()


def test_every_component_has_checks_and_a_value(registry: Registry) -> None:
    """A value of the reference, or one computed by hand, besides the checks above."""
    for module in pkgutil.iter_modules(plugins.__path__):
        import_module(f"tests.plugins.{module.name}")
    for kind, named in registry.components.items():
        for name, component in named.items():
            assert any(checks_for(component, registry)), f"{kind} {name} has no checks"
            assert (kind, name) in COVERED, f"no test compares {kind} {name} with a value"
