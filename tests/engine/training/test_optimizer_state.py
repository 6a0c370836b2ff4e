"""The state of optimizers in checkpoints: every value comes back, with its type and its bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.precision import asked_for
from ltbench.engine.training.checkpoint import TrainState, load_state, save_state
from ltbench.engine.training.optimizer_state import pack_optimizer, unpack_optimizer
from ltbench.errors import DataError, PluginError
from ltbench_plugins.optimizers.adamw import AdamW, AdamWConfig
from ltbench_plugins.optimizers.sgd import Sgd, SgdConfig
from ltbench_plugins.optimizers.timm import Timm, TimmConfig
from tests import parity

MADE = {
    "sgd": Sgd(SgdConfig()),
    "adamw": AdamW(AdamWConfig()),
    **{
        name: Timm(TimmConfig(name=name, options=options))  # type: ignore[arg-type]
        for name, options in {
            "radam": {},
            "nadamw": {},  # a product of momenta in its state
            "adafactorbv": {"momentum": 0.9},  # momentum in bfloat16, and a dtype in its groups
            "adan": {},
        }.items()
    },
}


def classifier() -> Classifier:
    model = Classifier(parity.narrow_vit(1), nn.Linear(8, 3))
    model.learn_only(model.head.parameters())
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.normal_()
    return model


def start(model: Classifier, made: Any) -> TrainState:
    weight, bias = model.learned().values()
    groups = [
        {"params": [weight], "lr_factor": 1.0},
        {"params": [bias], "lr_factor": 0.5, "weight_decay": 0.0},
    ]
    return TrainState.start(made(groups, 0.05), asked_for("fp32", torch.device("cpu")))


def steps(model: Classifier, state: TrainState, first: int, last: int) -> list[Tensor]:
    for step in range(first, last):
        generator = torch.Generator().manual_seed(step)
        for parameter in model.learned().values():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        state.optimizer.step()
    return [parameter.detach().clone() for parameter in model.learned().values()]


@pytest.mark.parametrize("name", MADE)
def test_a_resumed_training_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    whole, stopped, resumed = classifier(), classifier(), classifier()
    expected = steps(whole, start(whole, MADE[name]), 0, 8)
    state = start(stopped, MADE[name])
    steps(stopped, state, 0, 4)
    save_state(state, stopped, tmp_path / "state")
    again = start(resumed, MADE[name])
    load_state(again, resumed, tmp_path / "state")
    found = steps(resumed, again, 4, 8)
    assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))
    assert again.optimizer.param_groups[1]["lr_factor"] == 0.5


class Keeping(torch.optim.Optimizer):
    """Keeps values of every kind in its state and its groups."""

    def __init__(self, groups: Any, lr: float, kept: Any) -> None:
        super().__init__(groups, {"lr": lr, "kept": kept})
        self.kept = kept

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["kept"] = self.kept


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)


@pytest.mark.parametrize(
    "kept",
    [
        *(None, True, 3, 0.1, float("inf"), "text", torch.bfloat16, (0.9, 0.999), [1, (2, "a")]),
        {"count": 1, 2: [torch.ones(2)]},
        torch.arange(3),
        torch.ones(2, 2, dtype=torch.float64) / 3,
        torch.ones(4).bfloat16(),
        torch.tensor(7.0),
        torch.arange(12.0).view(3, 4).T,
    ],
    ids=str,
)
def test_values_of_every_kind_come_back(kept: Any) -> None:
    learned = {"weight": nn.Parameter(torch.ones(2))}
    groups = [{"params": list(learned.values())}]
    optimizer = Keeping(groups, 0.1, kept)
    optimizer.step()
    tensors, packed = pack_optimizer(optimizer, learned)
    fresh = Keeping([{"params": list(learned.values())}], 0.1, None)
    unpack_optimizer(fresh, learned, tensors, packed)
    assert same(fresh.state[learned["weight"]]["kept"], kept)
    assert same(fresh.param_groups[0]["kept"], kept)


def test_what_no_checkpoint_can_hold_is_an_error_of_the_plugin() -> None:
    learned = {"weight": nn.Parameter(torch.ones(2))}
    optimizer = Keeping([{"params": list(learned.values())}], 0.1, object())
    with pytest.raises(PluginError, match=r"holds a object .groups/0/kept."):
        pack_optimizer(optimizer, learned)


def test_the_state_of_other_parameters_is_refused() -> None:
    one, two = ({name: nn.Parameter(torch.ones(2))} for name in ("one", "two"))
    tensors, packed = pack_optimizer(Keeping([{"params": list(one.values())}], 0.1, 1), one)
    with pytest.raises(DataError, match="of other parameters"):
        unpack_optimizer(Keeping([{"params": list(two.values())}], 0.1, 1), two, tensors, packed)
