"""What a stranger's objects do wrong has the stranger's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from ltbench.engine.building.checked_components import CheckedInference, CheckedLoss
from ltbench.errors import PluginError
from ltbench.protocols import Targets
from ltbench.views import Views
from tests.strangers import component, guarded

SIZES = np.array([[8, 8], [8, 9]])
IMAGES, LABELS = torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([0, 1])
LOGITS = torch.zeros(2, 5, 3)


@dataclass
class Strange:
    """Returns what it is told to, whatever it is asked."""

    value: Any
    draws: Any = 1

    def views(self, *asked: Any) -> Any:
        return self.value

    change = reduce = adjust = __call__ = views


class Mute:
    draws = 1


class WrongSignature:
    draws = 1

    def views(self) -> None: ...

    change = reduce = adjust = start_epoch = __call__ = views


def views_of(strange: Any) -> Any:
    return guarded(strange).views(SIZES, np.zeros((2, 1)), 0.0)


def change_by(strange: Any) -> Any:
    return guarded(strange).change(IMAGES, LABELS, np.zeros((2, 1)))


def inference(strange: Any) -> CheckedInference:
    return CheckedInference(strange, component("inference"))


def loss_of(strange: Any) -> Any:
    return CheckedLoss(strange, component("loss"))(LOGITS[:, 0], Targets(LABELS))


BOXES = np.ones((2, 4))
CALLS: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "views": (
        views_of,
        [
            *(None, BOXES, Views(BOXES.tolist()), Views(BOXES[:, None]), Views(BOXES[:, :3])),
            Views(BOXES, crop_first=1),  # type: ignore[arg-type]
        ],
    ),
    "change": (
        change_by,
        [None, IMAGES, (IMAGES, LABELS), (IMAGES[:1], Targets(LABELS)), (IMAGES, Targets(None))],
    ),
    "inference views": (
        lambda strange: inference(strange).views(SIZES),
        [None, Views(BOXES), Views(np.ones((2, 0, 4)))],
    ),
    "inference change": (
        lambda strange: inference(strange).change(IMAGES[:, None]),
        [None, IMAGES, IMAGES[:, None, :2]],
    ),
    "reduce": (
        lambda strange: inference(strange).reduce(LOGITS),
        [None, LOGITS, LOGITS[:, 0, :2], [0.0]],
    ),
    "adjust": (
        lambda strange: inference(strange).adjust(LOGITS[:, 0]),
        [None, LOGITS, LOGITS[:1, 0], [0.0]],
    ),
    "loss": (loss_of, [None, 0.5, LOGITS, torch.zeros(())]),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_returned_wrongly_is_named(call: str) -> None:
    ask, answers = CALLS[call]
    for answer in [*map(Strange, answers), *([] if "change" in call else [Mute()])]:
        with pytest.raises(PluginError, match=r"'strange' of plugin stranger \(stranger 1"):
            ask(answer)
    with pytest.raises(PluginError, match="raised TypeError"):
        ask(WrongSignature())


@pytest.mark.parametrize("crop_first", [False, True])
def test_views_keep_what_was_said_of_them(crop_first: bool) -> None:
    flips = np.array([True, False])
    seen = views_of(Strange(Views(BOXES, flips, crop_first)))
    assert seen.crop_first is crop_first
    assert np.array_equal(seen.flips, flips[:, None])


@pytest.mark.parametrize("draws", [None, -1, "3", 1.5])
def test_draws_must_be_a_number(draws: Any) -> None:
    with pytest.raises(PluginError, match="not how many numbers it takes"):
        guarded(Strange(None, draws))
    with pytest.raises(PluginError, match="not how many numbers it takes"):
        inference(Strange(None, draws))
