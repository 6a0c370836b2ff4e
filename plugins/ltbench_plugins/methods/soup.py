"""Model soup: the average of several full fine-tunings."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.full import FULL, build
from ltbench_plugins.methods.options import BlocksConfig

SOUP = MethodSpec(
    name="soup",
    summary="average of the weights of several full fine-tunings",
    config=BlocksConfig,
    build=build,
    reference="arXiv:2203.05482",
    token_wise=True,
    fixed={"refinement": "soup"},
    recipe=FULL.recipe,
)
