"""WiSE-FT: full fine-tuning of a zero-shot classifier, averaged with that classifier."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.full import FULL, build
from ltbench_plugins.methods.options import BlocksConfig

WISE_FT = MethodSpec(
    name="wise_ft",
    summary="full fine-tuning of a CLIP, averaged with its zero-shot weights",
    config=BlocksConfig,
    build=build,
    reference="arXiv:2109.01903",
    token_wise=True,
    joint=True,
    fixed={"head": "cosine", "head.scale": None, "init": "semantic", "refinement": "wise_ft"},
    recipe=FULL.recipe,
)
