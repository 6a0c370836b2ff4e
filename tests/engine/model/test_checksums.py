"""Checksums identify the tensors that a method has left as the pretrained backbone has them."""

from __future__ import annotations

import copy

import torch
from torch import nn

from ltbench.engine.model.checksums import Pretrained, checksum, named_tensors
from ltbench.engine.model.classifier import Classifier
from tests import parity


def test_a_checksum_covers_values_dtype_and_shape() -> None:
    tensor = torch.arange(6.0)
    others = [tensor + 1, tensor.flip(0), tensor.double(), tensor.view(2, 3), -tensor]
    assert checksum(tensor) == checksum(tensor.clone())
    assert len({checksum(one) for one in [tensor, *others]}) == 6
    assert checksum(tensor.view(2, 3).T) == checksum(tensor.view(2, 3).T.contiguous())


def test_new_and_changed_tensors_are_found() -> None:
    backbone = parity.narrow_vit(1)
    pretrained = Pretrained.of(backbone)
    backbone.add_module("new", nn.Linear(2, 2))
    model = Classifier(backbone, nn.Linear(backbone.width, 3))
    names = pretrained.in_model(model)
    new = {name for name, _ in named_tensors(model)} - names.keys()
    assert new == {"head.weight", "head.bias", "backbone.new.weight", "backbone.new.bias"}
    assert {"backbone.mean", "backbone.std"} <= names.keys()
    copied = copy.deepcopy(model)
    changed = "backbone.model.cls_token" if "backbone.model.cls_token" in names else min(names)
    dict(named_tensors(copied))[changed].data.add_(1)  # no count of writes sees it
    differing = [n for n, one in named_tensors(copied) if n in names and checksum(one) != names[n]]
    assert differing == [changed]
