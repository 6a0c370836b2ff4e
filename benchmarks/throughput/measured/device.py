"""Choice of the device."""

from __future__ import annotations

from typing import Any

import torch


def run() -> dict[str, Any]:
    """Returns "cuda" where there is a GPU, "cpu" elsewhere."""
    return {"device": "cuda" if torch.cuda.is_available() else "cpu"}
