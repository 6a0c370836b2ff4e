"""Learned weights on disk: damage and files of other runs are found before they are used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ltbench.engine.model.classifier import Classifier
from ltbench.engine.training.checkpoint import load_learned, save_learned
from ltbench.errors import DataError
from tests import parity


def classifier(value: float = 0.0) -> Classifier:
    backbone = parity.narrow_vit(1)
    model = Classifier(backbone, nn.Linear(backbone.width, 3))
    model.learn_only(model.head.parameters())
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.fill_(value)
    return model


def test_weights_come_back_and_equal_runs_have_equal_files(tmp_path: Path) -> None:
    for number in range(8):
        save_learned(classifier(1.5), tmp_path / str(number), "0123456789ab")
    assert len({(tmp_path / str(number)).read_bytes() for number in range(8)}) == 1
    for runs in ((), ("0123456789ab",), ("ab0123456789", "0123456789ab")):
        model = classifier()
        load_learned(model, tmp_path / "0", runs)
        assert all((parameter == 1.5).all() for parameter in model.head.parameters())


@pytest.mark.parametrize("place", [-1, -20, -60, "digest", "0123"])
def test_damaged_weights_are_refused(tmp_path: Path, place: int | str) -> None:
    path = tmp_path / "learned.safetensors"
    save_learned(classifier(1.5), path, "0123456789ab")
    content = bytearray(path.read_bytes())
    content[content.index(place.encode()) if isinstance(place, str) else place] ^= 1
    path.write_bytes(content)
    model = classifier()
    with pytest.raises(DataError, match="is damaged: its digest does not match") as raised:
        load_learned(model, path)
    assert "--overwrite always" in raised.value.hint
    assert not any(parameter.any() for parameter in model.head.parameters())


def test_weights_of_another_run_are_refused(tmp_path: Path) -> None:
    save_learned(classifier(), tmp_path / "w", "0123456789ab")
    with pytest.raises(DataError, match="expected weights of run ab0123456789, got 0123456789ab"):
        load_learned(classifier(), tmp_path / "w", ["ab0123456789"])


def test_weights_from_before_digests_load(tmp_path: Path) -> None:
    save_learned(classifier(1.5), tmp_path / "w", "0123456789ab")
    save_file(load_file(tmp_path / "w"), tmp_path / "earlier")
    model = classifier()
    load_learned(model, tmp_path / "earlier", ["ab0123456789"])
    assert all((parameter == 1.5).all() for parameter in model.head.parameters())
