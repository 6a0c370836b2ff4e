"""Classifier only: the head is learned, the encoder stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import BuildContext, MethodSpec, NoOptions
from ltbench_plugins.methods.recipes import recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


class ClassifierOnly:
    """Learns nothing in the encoder."""

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Returns no parameters."""
        return []


def build(config: NoOptions, ctx: BuildContext) -> ClassifierOnly:
    """Builds the method."""
    return ClassifierOnly()


CLASSIFIER_ONLY = MethodSpec(
    name="classifier_only",
    summary="the head alone is learned",
    build=build,
    reference="arXiv:2504.13282",
    token_wise=True,
    recipe=recipe({"train.lr": 0.03}),
)
