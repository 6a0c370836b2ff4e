"""Copies from CPU memory to the device that neither wait for it nor make it wait.

A blocking copy ends when the device has done everything before it, so the next step could not be
prepared meanwhile. A copy from pageable memory blocks; one from pinned memory does not.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    """Returns an array on the device; the values that are copied are those at the time of the call.

    Args:
        array: Array in CPU memory, a few kilobytes: it is copied to pinned memory first.
        device: Device of the tensor.
    """
    tensor = torch.from_numpy(array)
    pinned = tensor.pin_memory() if device.type == "cuda" else tensor
    return pinned.to(device, non_blocking=True)


class BatchCopier:
    """Copies batches on a stream of its own, while the device computes with the one before.

    In the stream of the computation a copy would begin only after the kernels of the last step,
    which are still waiting there when the next batch is requested.

    Args:
        device: Device of the batches.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def __call__(self, pixels: Tensor) -> Tensor:
        """Returns a batch on the device; kernels that are launched later wait for its copy.

        Args:
            pixels: Batch in pinned memory, or on a CPU any batch.
        """
        if self._stream is None:
            return pixels.to(self.device)
        computing = torch.cuda.current_stream(self.device)
        with torch.cuda.stream(self._stream):
            copied = pixels.to(self.device, non_blocking=True)
        computing.wait_stream(self._stream)
        copied.record_stream(computing)  # its memory is reused only after those kernels
        return copied
