"""timm without wandb, which takes 0.3 s to import, for a log that only timm's own script writes."""

from __future__ import annotations

from ltbench_plugins.modules.absent import absent

with absent("wandb"):
    import timm
    from timm.data.config import resolve_model_data_config
    from timm.data.imagenet_info import ImageNetInfo

__all__ = ["ImageNetInfo", "resolve_model_data_config", "timm"]
