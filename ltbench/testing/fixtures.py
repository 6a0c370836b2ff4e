"""Pytest fixtures with small components, data sets and plugins.

In a plugin's `conftest.py`: `pytest_plugins = ["ltbench.testing.fixtures"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.testing.install import broken_plugin, installed_plugin
from ltbench.testing.small_components import long_tailed_set, small_backbone

if TYPE_CHECKING:
    from ltbench.backbone import Backbone
    from ltbench.data import Dataset

__all__ = [
    "ltbench_backbone",
    "ltbench_broken_plugin",
    "ltbench_dataset",
    "ltbench_install",
    "ltbench_registry",
]


@pytest.fixture(scope="session")
def ltbench_registry() -> Registry:
    """Registry of the installed components."""
    return load_plugins()


@pytest.fixture
def ltbench_backbone(ltbench_registry: Registry) -> Callable[..., Backbone]:
    """Function that builds a small backbone by name; see `small_backbone`."""
    return lambda name="", seed=0: small_backbone(name, seed=seed, registry=ltbench_registry)


@pytest.fixture
def ltbench_dataset() -> Dataset:
    """Small long-tailed data set; see `long_tailed_set`."""
    return long_tailed_set()


@pytest.fixture
def ltbench_install() -> Iterator[Callable[[str, str], Path]]:
    """Function `(name, source) -> file` that installs a plugin until the test ends."""
    with ExitStack() as stack:
        yield lambda name, source: stack.enter_context(installed_plugin(name, source))


@pytest.fixture
def ltbench_broken_plugin() -> Iterator[Path]:
    """File of a plugin that is installed until the test ends and cannot be imported."""
    with broken_plugin() as file:
        yield file
