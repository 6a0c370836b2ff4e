"""Loss scaling: a first step that overflows leaves no trace, whatever lay in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.config.runspec import Precision
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.precision import asked_for
from ltbench.engine.training.checkpoint import TrainState
from ltbench.engine.training.loop import divergence_hint, mean_loss
from ltbench.errors import NonFiniteLossError
from ltbench_plugins.optimizers.adamw import AdamW, AdamWConfig
from ltbench_plugins.optimizers.sgd import Sgd, SgdConfig
from ltbench_plugins.optimizers.timm import Timm, TimmConfig

CPU = torch.device("cpu")
IMAGES = torch.linspace(-1, 1, 8 * 3 * 2 * 2).view(8, 3, 2, 2)
LABELS = torch.arange(8).remainder(4)


@pytest.fixture
def memory_is_filled_with_nan() -> Iterator[None]:
    """Fills memory that nobody has written to, such as that of `torch.empty_like`, with NaN."""
    torch.use_deterministic_algorithms(True)
    assert torch.utils.deterministic.fill_uninitialized_memory
    assert torch.empty(3).isnan().all()
    yield
    torch.use_deterministic_algorithms(False)


def classifier() -> Classifier:
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.Tanh())
    backbone = Backbone(encoder, width=6, resolution=2, mean=(0.5,) * 3, std=(0.5,) * 3)
    model = Classifier(backbone, nn.Linear(6, 4))
    model.learn_only(model.parameters())
    return model


def start(
    model: Classifier, precision: Precision, made: Callable[..., torch.optim.Optimizer]
) -> TrainState:
    """Returns the state before the first step with an optimizer."""
    optimizer = made([{"params": list(model.learned().values())}], 0.1)
    return TrainState.start(optimizer, asked_for(precision, CPU))


def steps(
    model: Classifier, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
) -> list[bool]:
    """Takes six steps in half precision; returns which of them overflowed."""
    skipped = []
    for _ in range(6):
        with asked_for("fp16", CPU).autocast():
            logits = model.head(model.backbone(IMAGES))
        scaler.scale(nn.functional.cross_entropy(logits.float(), LABELS)).backward()
        before = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        skipped.append(scaler.get_scale() < before)
    return skipped


def learned(model: Classifier) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.learned().values()]


OPTIMIZERS = {
    "sgd": (
        Sgd(SgdConfig()),
        partial(torch.optim.SGD, momentum=0.9, weight_decay=5e-4, foreach=False),
    ),
    "adamw": (AdamW(AdamWConfig()), partial(torch.optim.AdamW, foreach=False)),
    "nadamw": (
        Timm(TimmConfig(name="nadamw", options={"foreach": True})),
        Timm(TimmConfig(name="nadamw", options={"foreach": False})),
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("memory_is_filled_with_nan")
def test_steps_that_overflow_at_first_leave_no_trace(name: str) -> None:
    """The steps equal those of an optimizer that is not fused and allocates nothing too early."""
    ours, plain = classifier(), classifier()
    made, reference = OPTIMIZERS[name]
    state = start(ours, "fp16", made)
    assert state.scaler.is_enabled()
    assert state.optimizer.defaults.get("fused", True)
    state.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20)
    theirs = reference(list(plain.learned().values()), lr=0.1)
    skipped = steps(ours, state.optimizer, state.scaler)
    assert skipped[0]
    assert not skipped[-1]
    assert steps(plain, theirs, torch.amp.GradScaler("cpu", init_scale=2.0**20)) == skipped
    for one, other in zip(learned(ours), learned(plain), strict=True):
        assert one.isfinite().all()
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_buffers_that_start_at_zero_are_for_loss_scaling(precision: Precision) -> None:
    """No other step is ever skipped, and their bits stay as they were."""
    state = start(classifier(), precision, Sgd(SgdConfig()))
    buffers = [found["momentum_buffer"] for found in state.optimizer.state.values()]
    assert len(buffers) == (4 if precision == "fp16" else 0)
    assert not any(buffer.any() for buffer in buffers)
    without = start(classifier(), "fp16", Sgd(SgdConfig(momentum=0.0)))
    assert not without.optimizer.state


@pytest.mark.parametrize(
    ("precision", "hint"),
    [
        ("fp32", "lower the learning rate (--lr)"),
        ("bf16", "lower the learning rate (--lr), or take --precision fp32"),
        ("fp16", "lower the learning rate (--lr), or take --precision fp32"),
    ],
)
def test_the_hint_suggests_nothing_that_is_chosen_already(precision: Precision, hint: str) -> None:
    assert divergence_hint(precision) == hint
    with pytest.raises(NonFiniteLossError, match="became nan in epoch 2, step 1") as raised:
        mean_loss(torch.tensor([float("nan")]), 1, asked_for(precision, CPU))
    assert raised.value.hint == hint
