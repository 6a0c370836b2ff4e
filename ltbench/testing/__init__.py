"""The conformance kit: what every component must do, as checks that run on a CPU in seconds.

    from ltbench.testing import parametrize_with_checks

    @parametrize_with_checks("my_plugin")
    def test_conformance(check):
        check()

The checks build small runs around a component, with a long-tailed set of a few synthetic images
(one of its classes has one training image, another has none) and the backbones whose `examples`
need no download. Importing this module loads no torch; listing the checks does.
"""

from __future__ import annotations

from ltbench.testing.check import Check, Skipped
from ltbench.testing.collect import checks_for, parametrize_with_checks

__all__ = ["Check", "Skipped", "checks_for", "parametrize_with_checks"]
