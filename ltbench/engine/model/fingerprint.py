"""Which weights a backbone really has."""

from __future__ import annotations

import hashlib

import torch

from ltbench.backbone import Backbone


def weights_fingerprint(backbone: Backbone) -> str:
    """Returns "sha256:..." of a backbone's stored tensors, text tower included.

    Of each tensor in the order of their names: name, type and shape as text, then its bytes in C
    order. The device does not matter, and one tensor at a time is copied. The names are those of
    the modules as ltbench arranges them, so that other versions may give the same weights another
    fingerprint.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().flatten()
        digest.update(flat.view(torch.uint8).numpy().data)
    return f"sha256:{digest.hexdigest()}"
