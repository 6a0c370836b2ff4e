"""Conformance kit: the rules of every kind of component, as checks that run on a CPU in seconds.

    from ltbench.testing import parametrize_with_checks

    @parametrize_with_checks("my_plugin")
    def test_conformance(check):
        check()

Without pytest, use `check_plugin("my_plugin")` or `ltbench plugin check my_plugin`.

The checks build small runs around a component, with a long-tailed set of a few synthetic images
(one of its classes has one training image, another has none) and the backbones whose `examples`
need no download. Importing this module loads no torch; listing the checks does.

For a plugin's own tests there are `small_backbone`, `long_tailed_set`, `build_context`,
`installed_plugin` and `broken_plugin`; `ltbench.testing.fixtures` has them as pytest fixtures.
"""

from __future__ import annotations

from ltbench.registry.load import load_plugins
from ltbench.testing.check import Check, Skipped
from ltbench.testing.collect import checks_for, parametrize_with_checks
from ltbench.testing.install import broken_plugin, installed_plugin
from ltbench.testing.runner import Outcome, check_plugin
from ltbench.testing.small_components import (
    build_context,
    long_tailed_set,
    small_backbone,
    small_backbone_names,
)

__all__ = [
    "Check",
    "Outcome",
    "Skipped",
    "broken_plugin",
    "build_context",
    "check_plugin",
    "checks_for",
    "installed_plugin",
    "load_plugins",
    "long_tailed_set",
    "parametrize_with_checks",
    "small_backbone",
    "small_backbone_names",
]
