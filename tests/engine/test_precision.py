from __future__ import annotations

import pytest
import torch

from ltbench.config.runspec import Precision
from ltbench.engine import precision as module
from ltbench.engine.precision import choose_arithmetic

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("asked", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_what_is_asked_for_is_what_multiplies(asked: Precision, dtype: torch.dtype) -> None:
    arithmetic = choose_arithmetic(asked, CPU)
    layer = torch.nn.Linear(4, 4)
    with arithmetic.autocast():
        assert layer(torch.ones(1, 4)).dtype == dtype
    assert layer.weight.dtype == torch.float32  # the master weights
    assert arithmetic.scaler().is_enabled() == (asked == "fp16")


@pytest.mark.parametrize(("speedup", "chosen"), [(3.0, "bf16"), (1.1, "fp32"), (0.5, "fp32")])
def test_auto_takes_the_faster_one(
    monkeypatch: pytest.MonkeyPatch, speedup: float, chosen: str
) -> None:
    seconds = {torch.float32: 1.0, torch.bfloat16: 1.0 / speedup}
    monkeypatch.setattr(module, "_seconds", lambda device, dtype: seconds[dtype])
    module._fastest.cache_clear()
    arithmetic = choose_arithmetic("auto", CPU)
    assert arithmetic.name == chosen
    assert ("3.0x" in arithmetic.reason) == (speedup == 3.0)
    module._fastest.cache_clear()


def test_the_measurement_is_of_real_products() -> None:
    assert 0 < module._seconds(CPU, torch.float32) < 10
