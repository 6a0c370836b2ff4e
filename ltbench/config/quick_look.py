"""Quick looks: short runs on a few images, whose results are compared with no others."""

from __future__ import annotations

from ltbench.specs import Settings

FAST: Settings = {"limit": 8, "train.epochs": 1, "train.batch_size": 32}
"""Settings that `fast` puts on top of all recipes; the user's own settings replace them."""

KEYS = ("limit", "fast")
"""Keys of a run that make it a quick look."""
