"""What the methods of decoupled training have in common."""

from __future__ import annotations

from ltbench_plugins.methods.recipes import recipe

DECOUPLED = recipe(
    {"head": "linear", "loss": "ce", "train.lr": 0.001}, places_lt={"train.lr": 0.002}
)
"""First the whole network as the images come, with cross entropy (Kang et al., ICLR 2020); then the
classifier is put right by the refinement. On other features: any method with that refinement."""
