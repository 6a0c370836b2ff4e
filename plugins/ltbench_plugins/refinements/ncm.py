"""Nearest class mean: the class weights become the mean features of the trained encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, NoOptions, RefinementSpec
from ltbench.protocols import RefinementContext

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class Ncm:
    """w_k = normalise(mean over class k of x / |x|), over all training images, without bias.

    The class whose mean has the largest cosine with the feature is predicted, for a cosine and a
    linear head alike. A class without images gets a zero weight.
    """

    num_classes: int

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` unless the head learns class weights."""
        from ltbench_plugins.modules.refining import class_weight

        class_weight(head, learned, "ncm")

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Replaces the learned weights by the class means."""
        import torch
        from torch.nn import functional as F

        from ltbench_plugins.modules.refining import class_weight

        weight, bias = class_weight(head, training.learned, "ncm")
        features, labels = training.features()
        unit = F.normalize(features, dim=-1)
        means = unit.new_zeros(self.num_classes, unit.shape[1]).index_add_(0, labels, unit)
        with torch.no_grad():
            weight.copy_(F.normalize(means, dim=-1))  # a sum has the direction of the mean
            if bias is not None:
                bias.zero_()


def build(config: NoOptions, ctx: BuildContext) -> Ncm:
    """Builds the refinement."""
    return Ncm(ctx.num_classes)


NCM = RefinementSpec(
    name="ncm",
    summary="class weights replaced by the class means of the features",
    build=build,
    reference="arXiv:1910.09217",
)
