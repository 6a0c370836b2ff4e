"""Available device."""

from __future__ import annotations

from typing import Any

import torch


def run() -> dict[str, Any]:
    """Returns "cuda" if there is a GPU, otherwise "cpu"."""
    return {"device": "cuda" if torch.cuda.is_available() else "cpu"}
