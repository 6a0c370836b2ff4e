"""Speed is measured for the choice of loader workers, once a store."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ltbench.engine.model import throughput as pace
from ltbench.engine.model.precision import asked_for
from ltbench.engine.model.throughput import seconds_per_image
from ltbench.io.array_cache import NO_CACHE, Cache
from ltbench.registry.registry import Registry
from ltbench.testing import small_backbone

FP32 = asked_for("fp32", torch.device("cpu"))


def test_the_speed_of_a_real_backbone(registry: Registry) -> None:
    backbone = small_backbone(registry=registry).requires_grad_(False)
    assert 0 < seconds_per_image(backbone, FP32, {}, NO_CACHE) < 10


def test_the_runs_of_a_store_measure_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, registry: Registry
) -> None:
    backbone = small_backbone(registry=registry).requires_grad_(False)
    cache = Cache(tmp_path, 10_000)
    first = seconds_per_image(backbone, FP32, {"threads": 1}, cache)
    monkeypatch.setattr(pace, "_measured", lambda backbone, policy: 1e9)
    assert seconds_per_image(backbone, FP32, {"threads": 1}, cache) == first
    assert seconds_per_image(backbone, FP32, {"threads": 2}, cache) == 1e9
    assert seconds_per_image(backbone, FP32, {"threads": 1}, NO_CACHE) == 1e9
