"""Hashes of a backbone's weights: which ones it has, and which of them are still unchanged."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from ltbench.backbone import Backbone


def weights_fingerprint(backbone: Backbone) -> str:
    """Returns "sha256:..." of a backbone's stored tensors, text tower included.

    Each tensor counts in the order of the names: name, dtype and shape as text, then its bytes in C
    order. The device does not matter, and one tensor at a time is copied. The names are those of
    the modules as ltbench arranges them, so that other versions may give the same weights another
    fingerprint.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor_bytes(tensor))
    return f"sha256:{digest.hexdigest()}"


class CurrentFingerprint:
    """The fingerprint of a backbone, hashed again only when its weights have changed.

    Args:
        backbone: Encoder whose weights are hashed.
    """

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._hashed: tuple[tuple[object, ...], str] | None = None

    def __call__(self) -> str:
        """Returns the fingerprint of the weights as they are now."""
        # PyTorch counts the writes to each tensor.
        tensors = self._backbone.state_dict(keep_vars=True).items()
        state = tuple((name, one.data_ptr(), one._version) for name, one in tensors)
        if self._hashed is None or self._hashed[0] != state:
            self._hashed = state, weights_fingerprint(self._backbone)
        return self._hashed[1]


def tensor_bytes(tensor: Tensor) -> memoryview:
    """Returns the bytes of a tensor in C order; on the CPU they are not copied."""
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().data
