"""Steps of the built-in optimizers, computed by hand or by the library that they stand for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from timm.optim.lamb import Lamb
from timm.optim.lion import Lion
from timm.optim.sgdw import SGDW
from torch import Tensor

from ltbench.errors import ConfigError
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

SPECS = specs_of("optimizer")


def build(kind: str, /, **options: Any) -> Any:
    spec = SPECS[kind]
    ctx = parity.context([3, 2, 1], parity.narrow_vit(1))
    return spec.build(spec.config(**options), ctx)


def stepped(made: Any, gradients: list[float], start: float = 1.0) -> float:
    """Returns a weight after a step for each gradient, at a learning rate of 0.1."""
    weight = torch.nn.Parameter(torch.tensor([start]))
    optimizer = made([{"params": [weight]}], 0.1)
    for gradient in gradients:
        weight.grad = torch.tensor([gradient])
        optimizer.step()
    return weight.item()


@value_of("optimizer", "sgd")
def test_sgd_by_hand() -> None:
    # v = 2 + 0.5 * 1 = 2.5, w = 0.75; v = 0.5 * 2.5 + 1 + 0.5 * 0.75 = 2.625, w = 0.4875
    made = build("sgd", momentum=0.5, weight_decay=0.5)
    assert stepped(made, [2.0, 1.0]) == pytest.approx(0.4875)


@value_of("optimizer", "adamw")
def test_adamw_by_hand() -> None:
    """The first step has the length of the learning rate, after a decay of lr * wd."""
    made = build("adamw", weight_decay=0.5)
    assert stepped(made, [3.0]) == pytest.approx(1.0 * (1 - 0.1 * 0.5) - 0.1)
    # m = 0.5 * 1.5 + 0.5 * 1 = 1.25 over 1 - 0.25; v = 0.5 * 4.5 + 0.5 * 1 = 2.75 over 1 - 0.25
    made = build("adamw", betas=(0.5, 0.5), eps=1e-12, weight_decay=0.0)
    expected = 0.9 - 0.1 * (1.25 / 0.75) / (2.75 / 0.75) ** 0.5
    assert stepped(made, [3.0, 1.0]) == pytest.approx(expected)


@value_of("optimizer", "timm")
@pytest.mark.parametrize(
    ("name", "options", "reference"),
    [
        ("lamb", {}, Lamb),
        ("lion", {"betas": (0.5, 0.9)}, Lion),
        ("sgdw", {"momentum": 0.5, "nesterov": True}, SGDW),
    ],
)
def test_an_optimizer_of_timm_is_that_of_timm(
    name: str, options: dict[str, Any], reference: Any
) -> None:
    def theirs(groups: Any, lr: float) -> Any:
        return reference(groups, lr=lr, weight_decay=0.1, **options)

    gradients = [2.0, -1.0, 0.5]
    made = build("timm", name=name, weight_decay=0.1, options=options)
    assert stepped(made, gradients) == stepped(theirs, gradients)


def test_momentum_of_timm_is_that_of_its_training() -> None:
    made = build("timm", name="sgd")([{"params": [torch.nn.Parameter(torch.zeros(1))]}], 0.1)
    assert (made.defaults["momentum"], made.defaults["nesterov"]) == (0.9, True)


@pytest.mark.parametrize(
    ("options", "said", "hint"),
    [
        ({"name": "lamp"}, "timm has no optimizer 'lamp'", "did you mean 'lamb'"),
        ({"name": "adahessian"}, "needs gradients of second order", "first order"),
        ({"name": "lion", "options": {"momentun": 0.5}}, "momentun", "timm.optim"),
        ({"name": "lion", "options": {"betas": (2.0, 0.9)}}, "nvalid beta", "timm.optim"),
        ({"name": "lion", "options": {"betas": "x"}}, "optimizer.options={'betas': 'x'}", "help"),
        ({"name": "adamw", "options": {"betas": (0.9,)}}, "timm's 'adamw'", "help(timm.optim"),
    ],
)
def test_what_timm_does_not_take_is_an_error(options: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        build("timm", **options)
    assert hint in str(raised.value.hint)


def test_one_group_is_the_same_bits_as_bare_parameters() -> None:
    """The papers' runs keep their bits."""
    gradients = torch.randn(3, 7, generator=torch.Generator().manual_seed(0))
    ends: list[Tensor] = []
    for make in (
        lambda weight: build("sgd")([{"params": [weight], "lr_factor": 1.0}], 0.02),
        lambda weight: torch.optim.SGD(
            [weight], lr=0.02, momentum=0.9, weight_decay=5e-4, fused=True
        ),
    ):
        weight = torch.nn.Parameter(torch.ones(7))
        optimizer = make(weight)
        for gradient in gradients:
            weight.grad = gradient.clone()
            optimizer.step()
        ends.append(weight.detach())
    assert torch.equal(*ends)
