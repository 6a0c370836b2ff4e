"""Linear probe: the head is replaced by a logistic regression on the features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from ltbench import BuildContext, RefinementSpec, option
from ltbench.protocols import RefinementContext

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class LinearProbeConfig:
    """Options of the linear probe."""

    c: Annotated[float, Gt(0)] = option(0.316, "inverse strength of the L2 penalty")
    iterations: Annotated[int, Gt(0)] = option(1000, "maximum number of L-BFGS iterations")
    balanced: bool = option(False, "equal weight of all classes, whatever their numbers of images")


@dataclass(frozen=True)
class LinearProbe:
    """Multinomial logistic regression with an L2 penalty on plain views of all training images.

    The evaluation of representations in CLIP's paper, with the C of its example. For a linear head.
    """

    num_classes: int
    config: LinearProbeConfig

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` unless the head learns weights whose norms matter."""
        from ltbench_plugins.modules.refining import linear_weight

        linear_weight(head, learned, "linear_probe")

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Replaces the learned weights by the coefficients of the regression."""
        import torch

        from ltbench_plugins.modules.probe import logistic_regression
        from ltbench_plugins.modules.refining import linear_weight

        weight, bias = linear_weight(head, training.learned, "linear_probe")
        coefficients, intercepts = logistic_regression(
            *training.features(),
            self.num_classes,
            c=self.config.c,
            iterations=self.config.iterations,
            balanced=self.config.balanced,
        )
        with torch.no_grad():
            weight.copy_(coefficients)
            if bias is not None:
                bias.copy_(intercepts)


def build(config: LinearProbeConfig, ctx: BuildContext) -> LinearProbe:
    """Builds the refinement."""
    return LinearProbe(ctx.num_classes, config)


LINEAR_PROBE = RefinementSpec(
    name="linear_probe",
    summary="head replaced by a logistic regression on the features",
    config=LinearProbeConfig,
    build=build,
    libraries=("sklearn.linear_model",),
    reference="arXiv:2103.00020",
)
