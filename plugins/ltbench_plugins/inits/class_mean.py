"""Class-mean initialisation: the class weights are the mean features of the training images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from ltbench import BuildContext, InitSpec, option
from ltbench.protocols import TrainingFeatures

if TYPE_CHECKING:
    from torch import Tensor

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class ClassMeanConfig:
    """Options of the class-mean initialisation."""

    per_class: Annotated[int, Gt(0)] = option(
        100, "maximum number of training images of a class, chosen at random"
    )


@dataclass(frozen=True)
class ClassMean:
    """w_k = normalise(mean of the raw features of class k); zero for a class without images."""

    num_classes: int
    per_class: int

    def __call__(self, backbone: Backbone, features: TrainingFeatures) -> Tensor:
        """Returns the weight of the head, (K, width)."""
        from torch.nn import functional as F

        values, labels = features(self.per_class)
        sums = values.new_zeros(self.num_classes, values.shape[1]).index_add_(0, labels, values)
        return F.normalize(sums, dim=-1)  # a sum has the direction of the mean


def build(config: ClassMeanConfig, ctx: BuildContext) -> ClassMean:
    """Builds the initialisation."""
    return ClassMean(ctx.num_classes, config.per_class)


CLASS_MEAN = InitSpec(
    name="class_mean",
    summary="mean features of the training images of each class",
    config=ClassMeanConfig,
    build=build,
    version=2,
    reference="arXiv:2309.10019",
)
