"""The inference of a stored run, or another one for its model."""

from __future__ import annotations

import pytest

from ltbench.config.chosen_inference import choose_inference
from ltbench.errors import ConfigError, UnknownNameError
from ltbench.registry.registry import Registry
from tests.runs import spec_of


def test_options_of_the_run_hold_for_the_same_inference(registry: Registry) -> None:
    own = spec_of(registry, inference="tte", inference__expand=6).inference
    assert choose_inference(registry, own, None, {}).choice.options == {"expand": 6}
    assert choose_inference(registry, own, "tte", {"expand": 2}).config.expand == 2
    assert choose_inference(registry, own, "ten_crop", {}).config.expand is None


def test_wrong_names_and_options_are_refused(registry: Registry) -> None:
    own = spec_of(registry, inference="tte").inference
    with pytest.raises(UnknownNameError, match="there is no inference 'tta'"):
        choose_inference(registry, own, "tta", {})
    with pytest.raises(ConfigError, match=r"inference\.size: is not an option of inference 'tte'"):
        choose_inference(registry, own, None, {"size": 3})
