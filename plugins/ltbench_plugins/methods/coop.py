"""CoOp: the words before the class names are learned, in the text tower."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.classifier_only import build
from ltbench_plugins.methods.recipes import recipe

COOP = MethodSpec(
    name="coop",
    summary="the prompt's context is learned as vectors in the text tower of a CLIP",
    build=build,
    reference="arXiv:2109.01134",
    token_wise=True,
    joint=True,
    fixed={"head": "prompts", "init": "semantic"},
    recipe=recipe({"train.lr": 0.002}),
)
