"""Snapshots of encoders: any change that a method makes is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from ltbench.backbone import Backbone
from ltbench.engine.model.encoder_snapshot import EncoderSnapshot
from tests.engine.model.small_encoder import WIDTH, encoder, images


def test_passes_modes_and_gradients_change_nothing() -> None:
    backbone = encoder()
    snapshot = EncoderSnapshot(backbone)
    backbone.train()(images())
    backbone.eval().requires_grad_(True)
    backbone.to("cpu")
    hook = backbone.register_forward_hook(lambda *args: None)
    hook.remove()
    assert snapshot.unchanged(backbone.modules())


def write(backbone: Backbone) -> None:
    with torch.no_grad():
        backbone.model.get_parameter("stem.weight").mul_(1)


def replace_parameter(backbone: Backbone) -> None:
    stem = backbone.model.get_submodule("stem")
    stem.weight = nn.Parameter(backbone.model.get_parameter("stem.weight").clone())


CHANGES: list[Callable[[Backbone], object]] = [
    write,
    replace_parameter,
    lambda backbone: setattr(backbone.model.get_submodule("stem"), "stride", (1, 1)),
    lambda backbone: setattr(backbone.model.get_submodule("norm"), "eps", 0.1),
    lambda backbone: backbone.model.add_module("new", nn.Linear(2, 2)),
    lambda backbone: backbone.model.get_submodule("norm").register_forward_hook(print),
    lambda backbone: backbone.model.register_forward_pre_hook(print),
    lambda backbone: setattr(backbone.model, "norm", nn.LayerNorm(WIDTH)),
    lambda backbone: setattr(backbone.model, "forward", print),
    lambda backbone: backbone.project(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found(change: Callable[[Backbone], object]) -> None:
    backbone = encoder()
    snapshot = EncoderSnapshot(backbone)
    change(backbone)
    assert not snapshot.unchanged(backbone.modules())


def test_a_change_of_other_modules_does_not_count() -> None:
    backbone = encoder()
    snapshot = EncoderSnapshot(backbone)
    backbone.blocks[2].module.add_module("new", nn.Linear(2, 2))
    assert snapshot.unchanged(backbone.blocks[1].module.modules())
    assert not snapshot.unchanged(backbone.blocks[2].module.modules())
