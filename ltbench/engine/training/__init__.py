"""Training: loaders, the loop, checkpoints, selection, refinement."""

from __future__ import annotations
