"""The losses of an epoch's steps: their mean, and what is kept of a step."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.config.runspec import TrainConfig
from ltbench.engine.building.checked_components import CheckedLoss
from ltbench.engine.building.checked_optimizer import CheckedSchedule
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.precision import asked_for
from ltbench.engine.training.checkpoint import TrainState
from ltbench.engine.training.loop import train
from ltbench.engine.training.train_loader import Part
from ltbench.progress import SilentReporter
from ltbench.protocols import Targets
from ltbench.ranks.group import SINGLE
from ltbench.registry.registry import Registry
from tests import parity
from tests.strangers import component

WIDTH, BATCH = 4, 128


class Features:
    """Train loader of random features, which may have more batches than its length says.

    Args:
        classes: Number of classes.
        images: Length.
        batches: Number of batches.
    """

    seed = 0
    skipped: Mapping[int, str] = MappingProxyType({})

    def __init__(self, classes: int, images: int, batches: int) -> None:
        self.classes, self.images, self.batches = classes, images, batches
        self.tensors: list[int] = []

    def __len__(self) -> int:
        return self.images

    def close(self) -> None:
        """Does nothing: there are no workers."""

    def epoch(self, epoch: int, batch_size: int, parts: int = 1) -> Iterator[Sequence[Part]]:
        for number in range(self.batches):
            known = gc.get_objects() if number in (2, 4) else []
            self.tensors.append(sum(type(one) is Tensor for one in known))
            labels = torch.full((batch_size,), number % self.classes)
            yield [Part(torch.ones(batch_size, WIDTH), Targets(labels))]

    def logits(self, model: Classifier, inputs: Tensor) -> Tensor:
        return model.classify(inputs)


def trained(registry: Registry, loader: Features, lr: float) -> float:
    """Returns the mean loss of an epoch of a head that starts with zeros."""
    head = nn.Linear(WIDTH, loader.classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    model = Classifier(parity.narrow_vit(1), head)
    model.learn_only(model.head.parameters())
    policy = asked_for("fp32", torch.device("cpu"))
    sgd = torch.optim.SGD([{"params": model.head.parameters(), "lr_factor": 1.0}], lr=lr)
    state = TrainState.start(sgd, policy)
    loss = CheckedLoss(F.cross_entropy, registry.find("loss", "ce"))
    schedule = CheckedSchedule(lambda step, steps, epochs: 1.0, component("schedule"))
    config = TrainConfig(epochs=1, batch_size=BATCH, lr=lr)
    silent = SilentReporter()
    train(model, loader, loss, schedule, state, config, policy, SINGLE, silent, lambda state: None)
    return float(state.history[0]["loss"])


@pytest.mark.parametrize("batches", [1, 2, 5])
def test_the_loss_of_an_epoch_is_the_mean_of_its_steps(registry: Registry, batches: int) -> None:
    """Also where a loader has more batches than its length, or fewer: corrupt images."""
    loader = Features(3, 2 * BATCH, batches)
    assert trained(registry, loader, lr=0.0) == pytest.approx(torch.tensor(3.0).log().item())


def test_no_tensor_of_a_step_is_kept_until_the_next(registry: Registry) -> None:
    """A small one in the heap keeps the freed large ones around it from being joined (glibc)."""
    loader = Features(3, 6 * BATCH, 6)
    trained(registry, loader, lr=0.01)
    assert loader.tensors[2] == loader.tensors[4]
