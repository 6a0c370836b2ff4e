from __future__ import annotations

import hashlib
import struct

import pytest
import torch
from torch import nn

from ltbench.backbone import Backbone
from ltbench.engine.model.fingerprint import CurrentFingerprint, weights_fingerprint

HALF = (0.5, 0.5, 0.5)


def backbone() -> Backbone:
    model = nn.Linear(2, 1)
    model.weight = nn.Parameter(torch.tensor([[1.0, -2.0]]))
    model.bias = nn.Parameter(torch.tensor([0.5]))
    return Backbone(model, width=1, resolution=1, mean=HALF, std=HALF)


def test_it_is_the_hash_of_names_types_shapes_and_values() -> None:
    expected = hashlib.sha256(
        b"model.bias torch.float32 (1,)\n"
        + struct.pack("<f", 0.5)
        + b"model.weight torch.float32 (1, 2)\n"
        + struct.pack("<2f", 1, -2)
    )
    assert weights_fingerprint(backbone()) == f"sha256:{expected.hexdigest()}"


def test_a_single_bit_makes_another() -> None:
    changed = backbone()
    with torch.no_grad():
        weight: torch.Tensor = changed.model.weight  # type: ignore[assignment]
        weight[0, 1] = torch.nextafter(weight[0, 1], torch.tensor(0.0))
    assert weights_fingerprint(changed) != weights_fingerprint(backbone())


def test_strides_do_not_matter_and_half_precision_and_scalars_have_one() -> None:
    first, second = backbone(), backbone()
    values = torch.arange(6.0).view(2, 3)
    first.model.register_buffer("extra", values)
    second.model.register_buffer("extra", values.T.contiguous().T)
    assert weights_fingerprint(first) == weights_fingerprint(second)
    second.model.register_buffer("extra", values.to(torch.bfloat16))
    third = backbone()
    third.model.register_buffer("extra", torch.tensor(3))
    prints = {weights_fingerprint(made) for made in (first, second, third)}
    assert len(prints) == 3


def test_the_current_fingerprint_follows_every_change() -> None:
    changing = backbone()
    current = CurrentFingerprint(changing)
    assert current() == current() == weights_fingerprint(changing)
    with torch.no_grad():
        changing.model.get_parameter("bias").add_(1)
    assert current() == weights_fingerprint(changing) != weights_fingerprint(backbone())
    changing.model.bias = nn.Parameter(torch.tensor([0.5]))  # another tensor, the first values
    assert current() == weights_fingerprint(backbone())
    changing.model.register_buffer("extra", torch.ones(2))
    assert current() == weights_fingerprint(changing) != weights_fingerprint(backbone())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_device_does_not_matter() -> None:
    assert weights_fingerprint(backbone().cuda()) == weights_fingerprint(backbone())
