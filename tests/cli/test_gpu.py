from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tests.conftest import Ended

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_gpu_learns_what_a_cpu_learns(cli: Callable[..., Ended], precision: str) -> None:
    arguments = ("run", "--json", "--epochs", "3", "--precision", precision)
    gpu = cli(*arguments, "--device", "cuda", "--out", "gpu")
    cpu = cli(*arguments, "--device", "cpu", "--out", "cpu")
    assert gpu.code == cpu.code == 0, gpu.err + cpu.err
    assert gpu.json["hash"] == cpu.json["hash"]  # where it ran is not in it
    assert abs(gpu.json["metrics"]["accuracy"] - cpu.json["metrics"]["accuracy"]) < 3
