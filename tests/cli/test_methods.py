"""Every method from the command line, on what comes with ltbench."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ltbench.registry.load import load_plugins
from tests.conftest import Ended
from tests.tiers import all_but

METHODS = load_plugins().components["method"]
KEPT = ("lift_plus", "zero_shot")  # one that trains, and one that does not
ZERO_SHOT = 94.6  # accuracy in percent of nothing learned


@pytest.mark.parametrize("name", all_but(KEPT, sorted(METHODS.keys() - {"bn_tuning"})))
def test_every_method_runs(cli: Callable[..., Ended], name: str) -> None:
    fixed = "train.epochs" in METHODS[name].spec.fixed  # type: ignore[attr-defined]
    epochs = () if fixed else ("--epochs", "1")
    ended = cli("run", "--method", name, *epochs, "--precision", "fp32", "--json")
    assert ended.code == 0, ended.err
    result = ended.json
    assert result["metrics"]["accuracy"] > ZERO_SHOT - 3
    again = cli("eval", result["directory"], "--json")
    assert again.json["metrics"] == result["metrics"]


@pytest.mark.full
def test_batch_norms_are_tuned_in_a_residual_network(cli: Callable[..., Ended]) -> None:
    network = ("--set", "backbone.model=test_resnet", "--set", "backbone.pretrained=false")
    chosen = ("--method", "bn_tuning", "--backbone", "timm", *network)
    ended = cli("run", *chosen, "--epochs", "1", "--precision", "fp32", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["learned"]["encoder"] > 0
    again = cli("eval", ended.json["directory"], "--inference", "center", "--json")
    assert again.code == 0, again.err
