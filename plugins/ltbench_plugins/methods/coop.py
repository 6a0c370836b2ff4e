"""CoOp: the words before the class names are learned, in the text tower.

The optimizer is that of the published code (configs/trainers/CoOp/vit_b16.yaml in
github.com/KaiyangZhou/CoOp); the number of epochs is the benchmark's, not the 50 to 200 of few-shot
training.
"""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.classifier_only import build
from ltbench_plugins.methods.recipes import COOP_TRAINING, recipe

COOP = MethodSpec(
    name="coop",
    summary="the prompt's context is learned as vectors in the text tower of a CLIP",
    build=build,
    reference="arXiv:2109.01134",
    token_wise=True,
    joint=True,
    fixed={"head": "prompts", "init": "semantic"},
    recipe=recipe(COOP_TRAINING),
)
