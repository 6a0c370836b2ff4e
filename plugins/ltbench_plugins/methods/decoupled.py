"""Recipes and settings of the methods of decoupled training."""

from __future__ import annotations

from ltbench_plugins.methods.recipes import recipe

DECOUPLED = recipe(
    {"head": "linear", "loss": "ce", "train.lr": 0.001}, places_lt={"train.lr": 0.002}
)
"""Full training on the images as they are, with cross entropy; then a refinement changes the
classifier (Kang et al., ICLR 2020). For other features: any method with that refinement."""
