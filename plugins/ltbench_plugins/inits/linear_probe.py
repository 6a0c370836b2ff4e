"""Linear-probe initialisation: the class weights are those of a logistic regression."""

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
class LinearProbeInitConfig:
    """Options of the linear-probe initialisation."""

    per_class: Annotated[int, Gt(0)] = option(
        100, "maximum number of training images of a class, chosen at random"
    )
    iterations: Annotated[int, Gt(0)] = option(100, "maximum number of L-BFGS iterations")


@dataclass(frozen=True)
class LinearProbeInit:
    """w_k = normalise(c_k), the coefficients of a class-balanced L2 logistic regression.

    Fitted by L-BFGS to the raw features, C = 1; zero for a class without images.
    """

    num_classes: int
    config: LinearProbeInitConfig

    def __call__(self, backbone: Backbone, features: TrainingFeatures) -> Tensor:
        """Returns the weight of the head, (K, width)."""
        from torch.nn import functional as F

        from ltbench_plugins.modules.probe import logistic_regression

        coefficients, _ = logistic_regression(
            *features(self.config.per_class),
            self.num_classes,
            c=1.0,
            iterations=self.config.iterations,
            balanced=True,
        )
        return F.normalize(coefficients, dim=-1)


def build(config: LinearProbeInitConfig, ctx: BuildContext) -> LinearProbeInit:
    """Builds the initialisation."""
    return LinearProbeInit(ctx.num_classes, config)


LINEAR_PROBE = InitSpec(
    name="linear_probe",
    summary="coefficients of a logistic regression on the training images",
    config=LinearProbeInitConfig,
    build=build,
    libraries=("sklearn.linear_model",),
    version=2,
    reference="arXiv:2309.10019",
)
