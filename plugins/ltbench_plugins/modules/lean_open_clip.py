"""open_clip without transformers, which takes 0.4 s to import, for text towers of that library."""

from __future__ import annotations

import importlib

from ltbench_plugins.modules import lean_timm  # noqa: F401 - open_clip would import all of timm's
from ltbench_plugins.modules.absent import absent

with absent("transformers"):
    import open_clip

__all__ = ["load_transformers", "open_clip"]


def load_transformers() -> None:
    """Gives open_clip the library of its text towers from the hub, if it is installed."""
    from open_clip import hf_model

    if hf_model.transformers is None:
        importlib.reload(hf_model)  # into the namespace that its functions read
