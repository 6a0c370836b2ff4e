"""The conformance kit over every built-in component."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module

import pytest

from ltbench.plugins import Registry
from ltbench.testing import checks_for, parametrize_with_checks
from tests import plugins
from tests.covered import COVERED


# Of mlflow's own code on a recent sqlalchemy, when it first opens a database.
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
@parametrize_with_checks()
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
