"""Images that are all zero, to find out shapes and sizes without data."""

from __future__ import annotations

import torch
from torch import Tensor

from ltbench.backbone import Backbone


def blank_images(backbone: Backbone, count: int = 1) -> Tensor:
    """Returns normalised images of zeros, (count, 3, R, R), on the backbone's device."""
    side = backbone.resolution
    return torch.zeros(count, 3, side, side, device=backbone.mean.device)
