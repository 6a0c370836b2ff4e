from __future__ import annotations

import numpy as np
import pytest
import torch

from ltbench.data.loading.transfer import BatchCopier, to_device

CPU = torch.device("cpu")


def test_arrays_and_batches_arrive_as_they_are() -> None:
    array = np.arange(6).reshape(2, 3)
    assert torch.equal(to_device(array, CPU), torch.from_numpy(array))
    assert to_device(np.array([True, False]), CPU).tolist() == [True, False]
    batch = torch.arange(4, dtype=torch.uint8)
    assert BatchCopier(CPU)(batch) is batch


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_kernels_wait_for_the_copy_of_their_batch() -> None:
    device = torch.device("cuda")
    copy = BatchCopier(device)
    busy = torch.randn(4096, 4096, device=device)
    sums = []
    for value in range(20):
        batch = torch.full((2**22,), value, dtype=torch.uint8).pin_memory()
        busy = busy @ busy.T / 4096  # the computing stream is behind the copies
        sums.append(copy(batch).sum(dtype=torch.int64))
    assert [int(total) for total in sums] == [value * 2**22 for value in range(20)]
