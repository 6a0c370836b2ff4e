"""Tip-Adapter-F: the keys of Tip-Adapter's cache are learned.

The paper trains with AdamW; the learning rate for SGD was chosen on the val split of digits_lt.
"""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.classifier_only import build
from ltbench_plugins.methods.recipes import recipe

TIP_ADAPTER_F = MethodSpec(
    name="tip_adapter_f",
    summary="the keys of Tip-Adapter's cache are learned",
    build=build,
    reference="arXiv:2111.03930",
    token_wise=True,
    joint=True,
    fixed={"head": "cache", "init": "semantic"},
    recipe=recipe({"train.lr": 0.1}),
)
