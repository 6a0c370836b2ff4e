"""The loss of a batch, of mixed images, and in the course of a training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.config.runspec import TrainConfig
from ltbench.data import ArrayImages, Dataset, Split
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.building.checked_components import CheckedLoss
from ltbench.engine.building.checked_optimizer import CheckedSchedule
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.precision import asked_for
from ltbench.engine.training.checkpoint import TrainState
from ltbench.engine.training.loop import train
from ltbench.engine.training.train_loader import ImageLoader
from ltbench.errors import PluginError
from ltbench.progress import SilentReporter
from ltbench.protocols import Augmentation, Targets
from ltbench.ranks.group import SINGLE
from ltbench.registry.registry import Registry
from ltbench_plugins.augmentations.mixup import Mixup
from ltbench_plugins.augmentations.none import Plain
from tests import parity
from tests.strangers import component, guarded

LOGITS = torch.tensor([[1.0, -2.0, 0.5], [0.3, 2.0, -1.0]], requires_grad=True)


@pytest.fixture
def checked(registry: Registry) -> Any:
    """Wraps a loss as the engine does it."""
    return lambda loss: CheckedLoss(loss, registry.find("loss", "ce"))


def test_plain_targets_have_one_loss(checked: Any) -> None:
    value = checked(F.cross_entropy)(LOGITS, Targets(torch.tensor([0, 1])))
    expected = [math.log(sum(math.exp(z) for z in row)) - row[k] for k, row in enumerate(rows())]
    assert value.item() == pytest.approx(sum(expected) / 2)


def rows() -> list[list[float]]:
    listed: list[list[float]] = LOGITS.tolist()
    return listed


def test_mixed_targets_weigh_the_losses_of_both(checked: Any) -> None:
    labels, partners = torch.tensor([0, 1]), torch.tensor([2, 2])
    value = checked(F.cross_entropy)(LOGITS, Targets(labels, partners, 0.3))
    logs = [math.log(sum(math.exp(z) for z in row)) for row in rows()]
    first = sum(logs) / 2 - (1.0 + 2.0) / 2
    second = sum(logs) / 2 - (0.5 - 1.0) / 2
    assert value.item() == pytest.approx(0.3 * first + 0.7 * second)


@pytest.mark.parametrize(
    "returned", [None, 1.0, torch.zeros(()), LOGITS.sum(dim=0)], ids=["None", "float", "0", "rows"]
)
def test_a_loss_is_a_scalar_with_a_gradient(checked: Any, returned: Any) -> None:
    with pytest.raises(PluginError, match="not a scalar with a gradient"):
        checked(lambda logits, labels: returned)(LOGITS, Targets(torch.tensor([0, 1])))


class Scheduled:
    """Cross entropy that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[float] = []

    def start_epoch(self, progress: float) -> None:
        self.told.append(progress)

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels)


def trained(
    loss: CheckedLoss, augmentation: Augmentation, epochs: int, done: int = 0, accumulate: int = 1
) -> Classifier:
    """Trains the head of a small model, whose first epochs are done."""
    torch.manual_seed(0)
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    split = Split(ArrayImages(pixels), np.arange(12) % 3)
    dataset = Dataset(("a", "b", "c"), {"train": split, "test": split})
    loader_config = LoaderConfig(torch.device("cpu"), workers=0, skip_corrupt=False)
    loader = ImageLoader(dataset, guarded(augmentation), 8, loader_config, 0, epochs, None)
    model = Classifier(parity.narrow_vit(1), nn.Linear(8, 3))
    model.learn_only(model.head.parameters())
    config = TrainConfig(epochs=epochs, batch_size=6, accumulate=accumulate)
    policy = asked_for("fp32", torch.device("cpu"))
    sgd = torch.optim.SGD([{"params": model.head.parameters(), "lr_factor": 1.0}], lr=config.lr)
    state = TrainState.start(sgd, policy)
    state.history += [{}] * done
    schedule = CheckedSchedule(lambda step, steps, epochs: 1.0, component("schedule"))
    silent = SilentReporter()
    train(model, loader, loss, schedule, state, config, policy, SINGLE, silent, lambda state: None)
    return model


@pytest.mark.parametrize(("done", "told"), [(0, [0, 0.25, 0.5, 0.75]), (2, [0.5, 0.75])])
def test_a_loss_is_told_how_far_the_training_is(checked: Any, done: int, told: list[float]) -> None:
    loss = Scheduled()
    trained(checked(loss), Plain(), epochs=4, done=done)
    assert loss.told == told


def test_accumulation_changes_no_gradient_of_mixed_images(checked: Any) -> None:
    whole, parts = (
        trained(checked(F.cross_entropy), Mixup(1.0), epochs=1, accumulate=count)
        for count in (1, 3)
    )
    assert torch.allclose(whole.head.weight, parts.head.weight, atol=1e-7)
