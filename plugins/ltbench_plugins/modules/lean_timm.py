"""timm without wandb, which takes 0.3 s to import, for a log that only timm's own script writes."""

from __future__ import annotations

from ltbench_plugins.modules.absent import absent

with absent("wandb"):
    import timm

__all__ = ["timm"]
