"""Methods that declare that no seed changes their results."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ltbench.registry.load import load_plugins
from ltbench.specs import MethodSpec
from ltbench.testing import checks_for
from ltbench.testing.check import Skipped

RULE = "on clip_tiny: no seed changes it"


@pytest.mark.full
def test_a_method_that_draws_is_not_seedless() -> None:
    registry = load_plugins()
    drawing = registry.components["method"]["tip_adapter"]
    assert isinstance(drawing.spec, MethodSpec)
    (check,) = [one for one in checks_for(drawing, registry) if RULE in one.name]
    with pytest.raises(Skipped, match="does not declare seedless"):
        check.run()
    wrong = replace(drawing, spec=replace(drawing.spec, seedless=True))
    registry.components["method"]["tip_adapter"] = wrong
    (check,) = [one for one in checks_for(wrong, registry) if RULE in one.name]
    with pytest.raises(AssertionError, match="another seed gives other logits"):
        check.run()
