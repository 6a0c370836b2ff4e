"""LT-Soups: models trained on subsets of growing imbalance are merged, then the classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

from ltbench import BuildContext, RefinementSpec, option
from ltbench.errors import ConfigError
from ltbench.protocols import RefinementContext

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class LtSoupsConfig:
    """Options of LT-Soups."""

    subsets: Annotated[int, Gt(0)] | None = option(
        None,
        "number of merged imbalance ratios, the largest ones; none: 1, 2, 4, ... up to that of the "
        "data set",
    )
    replicas: Annotated[int, Gt(0)] = option(
        2, "number of averaged trainings for each ratio, each on its own subset"
    )
    retention: Annotated[float, Ge(0), Le(1)] = option(
        0.3, "share of the merge of the smaller ratios in each step of the merge"
    )
    min_steps: Annotated[int, Ge(0)] = option(
        100, "least number of optimizer steps of a training: a small subset takes more epochs"
    )
    epochs: Annotated[int, Gt(0)] | None = option(
        None, "number of epochs of the classifier's training; none: that of the run"
    )
    lr: Annotated[float, Gt(0)] | None = option(
        None, "learning rate of the classifier's training; none: that of the run"
    )


@dataclass(frozen=True)
class LtSoups:
    """Merge over imbalance ratios, and a classifier that is trained on all images.

    Subset i has at most 2^i n_min images of each class, n_min being the number of the smallest, for
    i = 0, ..., ceil(log2(n_max / n_min)): from a balanced set to all images. From the weights
    before the training, theta_0, M models are trained on each, with the loss for the subset's
    counts. With m_i their mean, and r the retention,

        theta <- r theta + (1 - r) m_i        for i = 0, 1, ..., starting at theta_0.

    Then the encoder is frozen, and the head is trained on from the merged one with all images.

    The run's own training is one of the models of the last subset, which has all images. A class
    without training images counts for no subset.

    Departures: the published code draws one subset for the M models of a ratio, averages the
    weights of each training over its steps (factor .99), and keeps the step that is best on the
    validation images; here each model has its own subset, as in the paper, and its last weights
    are taken. Its scripts for CIFAR-100-LT and iNaturalist 2018 leave the last subset out.

    Args:
        caps: Largest number of images of a class in each subset, ascending; None for all images.
    """

    caps: tuple[int | None, ...]
    replicas: int
    retention: float
    min_steps: int
    epochs: int | None
    lr: float | None

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` unless the head is learned."""
        from ltbench_plugins.modules.refining import learned_in

        learned_in(head, learned, "lt_soups")

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Trains and merges the models, then trains the head."""
        import torch

        from ltbench_plugins.modules.refining import learned_in

        learned = training.learned
        own = {name: p.detach().clone() for name, p in learned.items()}
        merged = {name: training.start[name].to(p.device) for name, p in learned.items()}
        for place, cap in enumerate(self.caps):
            # The run itself is one of the models on all images.
            mean = {name: torch.zeros_like(p) for name, p in learned.items()}
            for replica in range(self.replicas):
                first = cap is None and replica == 0
                if not first:
                    self._train(training, cap, 1 + place * self.replicas + replica)
                for name, value in (own if first else learned).items():
                    mean[name] += value.detach() / self.replicas
            for name, value in merged.items():
                merged[name] = self.retention * value + (1 - self.retention) * mean[name]
        with torch.no_grad():
            for name, parameter in learned.items():
                parameter.copy_(merged[name])
        classifier = learned_in(head, learned, "lt_soups").values()
        training.fit(classifier, epochs=self.epochs, lr=self.lr)

    def _train(self, training: RefinementContext, cap: int | None, seed_offset: int) -> None:
        """Trains the learned parameters from their start on a subset."""
        import torch

        with torch.no_grad():
            for name, parameter in training.learned.items():
                parameter.copy_(training.start[name])
        training.fit(
            training.learned.values(),
            seed_offset=seed_offset,
            per_class=cap,
            min_steps=self.min_steps,
        )


def build(config: LtSoupsConfig, ctx: BuildContext) -> LtSoups:
    """Builds the refinement."""
    if ctx.epochs == 0:
        raise ConfigError(
            "refinement 'lt_soups' merges trainings, but train.epochs is 0",
            hint="choose a method that trains, and --epochs 1 or more",
        )
    caps = subset_caps(ctx.class_counts)
    chosen = caps if config.subsets is None else caps[-config.subsets :]
    return LtSoups(
        chosen,
        config.replicas,
        config.retention,
        config.min_steps,
        config.epochs,
        config.lr,
    )


def subset_caps(counts: tuple[int, ...]) -> tuple[int | None, ...]:
    """Returns the largest number of images of a class in each subset; None for all images.

    >>> subset_caps((500, 40, 5, 0))
    (5, 10, 20, 40, 80, 160, 320, None)
    >>> subset_caps((8, 4, 2))
    (2, 4, None)
    """
    largest, cap = max(counts), min(count for count in counts if count)
    caps: list[int | None] = []
    while cap < largest:
        caps.append(cap)
        cap *= 2
    return (*caps, None)


LT_SOUPS = RefinementSpec(
    name="lt_soups",
    summary="merge of models of subsets from balanced to full, then the head again",
    config=LtSoupsConfig,
    build=build,
    reference="arXiv:2511.10683",
    examples=({"subsets": 2, "replicas": 1, "min_steps": 0, "epochs": 1},),
)
