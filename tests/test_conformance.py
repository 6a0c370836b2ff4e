"""The conformance kit over every built-in component."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from ltbench.registry.registry import Registry
from ltbench.testing import checks_for, parametrize_with_checks
from ltbench.testing.collect import CheckForPytest
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


LOADS = (": light imports", ": load time")
LOADED = ("plugin builtin_backbones", "plugin builtin_methods")
"""Checks that start a process, and the plugins with the most to import, which have them daily."""

SECOND = " on timm(model=test_vit,"
"""A backbone of the same family as the first, from another library."""

ON_SECOND = ("method full ", "method lora ", "method vpt ")
"""Methods that are checked every day on the transformer of another library as well: one of each way
to change a backbone (its weights, its modules, its tokens)."""


def cases() -> list[Any]:
    """The checks, of which the heavy ones and those that repeat others are in `make test-full`."""
    (_, found) = parametrize_with_checks().args
    return [
        pytest.param(*case.values, id=case.id, marks=[*case.marks, *_left(case.id, *case.values)])
        for case in found
    ]


def _left(name: str, case: CheckForPytest) -> list[pytest.MarkDecorator]:
    heavy = any(fragment in name for fragment in HEAVY)
    compiles = COMPILES in name and not name.startswith(COMPILED)
    runs = A_RUN in name and not name.startswith(RUN_DAILY)
    again = name.startswith("method ") and SECOND in name and not name.startswith(ON_SECOND)
    loads = name.endswith(LOADS) and not name.startswith(LOADED)
    left = loads or case.check.repeated or heavy or compiles or runs or again
    return [pytest.mark.full] if left else []


# Of mlflow's own code on a recent sqlalchemy, when it first opens a database.
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
@pytest.mark.parametrize("check", cases())
def test_conformance(check: Callable[[], None]) -> None:
    check()


def test_every_component_has_checks_and_a_value(registry: Registry) -> None:
    """A value of the reference, or one computed by hand, besides the checks above."""
    for module in pkgutil.iter_modules(plugins.__path__):
        import_module(f"tests.plugins.{module.name}")
    for kind, named in registry.components.items():
        for name, component in named.items():
            assert any(checks_for(component, registry)), f"{kind} {name} has no checks"
            assert (kind, name) in COVERED, f"no test compares {kind} {name} with a value"
