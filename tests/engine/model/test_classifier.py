from __future__ import annotations

import pytest
import torch
from torch import nn

from ltbench.engine.model.classifier import Classifier
from ltbench.errors import PluginError
from tests import parity


def classifier() -> Classifier:
    backbone = parity.timm_resnet()
    return Classifier(backbone, nn.Linear(backbone.width, 5))


def test_only_what_is_named_is_learned() -> None:
    model = classifier()
    model.learn_only(model.head.parameters())
    assert set(model.learned()) == {"head.weight", "head.bias"}
    with pytest.raises(PluginError, match="no weight of the backbone"):
        model.learn_only([nn.Parameter(torch.zeros(1))])


def test_batch_norms_keep_their_statistics() -> None:
    model = classifier()
    model.training_mode()
    assert model.training
    assert not any(m.training for m in model.modules() if isinstance(m, nn.BatchNorm2d))


def test_logits_are_float32_under_autocast() -> None:
    model = classifier()
    pixels = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model(pixels).dtype == torch.float32
