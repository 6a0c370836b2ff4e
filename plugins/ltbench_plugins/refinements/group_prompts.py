"""Second phase of LPT: prompts of groups, with dual sampling and key matching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from ltbench import BuildContext, RefinementSpec, option
from ltbench.errors import ConfigError
from ltbench.protocols import RefinementContext
from ltbench_plugins.losses.agcl import AgclConfig
from ltbench_plugins.refinements.crt import CrtConfig, second_epochs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class GroupPromptsConfig(CrtConfig, AgclConfig):
    """Options of the second phase of LPT; those of the loss hold in this phase alone."""

    matching: Annotated[float, Ge(0)] = option(0.5, "weight of the similarity of query and keys")
    instance: Annotated[float, Ge(0)] = option(
        0.5, "weight of the images as they are in the first epoch; it falls linearly to 0"
    )
    instance_positive: Annotated[float, Ge(0)] = option(
        0.5, "exponent of 1 - p for the label, for the images as they are"
    )
    instance_negative: Annotated[float, Ge(0)] = option(
        8.0, "exponent of p for the other classes, for the images as they are"
    )


@dataclass(frozen=True)
class GroupPromptsPhase:
    """Learns the groups' prompts and keys, and the head; the shared prompts stay.

    With A-GCL (see loss `agcl`), r the sum of the cosines of an image's query and its k keys,

        L = E_balanced[A(z, y) - b r] + eta_t E_instance[A'(z, y) - b r],  eta_t = eta (1 - t / E)

    over class-balanced images and images as they are; A' has exponents of its own, b is `matching`,
    eta `instance`, t the epoch. Queries get no gradient.

    Departure: the published code (github.com/DongSky/LPT) draws two batches in a step. Here images
    are drawn once, class k with q_k proportional to 1 / K + eta p_k, and each gets both losses with
    the weights 1 / (K q_y) and eta_t p_y / q_y. The expected gradient is that of L.
    """

    counts: tuple[int, ...]
    epochs: int
    config: GroupPromptsConfig
    ctx: BuildContext

    def check(self, head: nn.Module, learned: Mapping[str, nn.Parameter]) -> None:
        """Raises a `ConfigError` unless method and head are those of LPT."""
        from ltbench_plugins.modules.refining import learned_in

        if not any(".lpt_shared." in name for name in learned):
            raise ConfigError(
                "refinement 'group_prompts' needs the prompts of method 'lpt'",
                hint="choose --method lpt",
            )
        learned_in(head, learned, "group_prompts")

    def refine(self, encoder: Backbone, head: nn.Module, training: RefinementContext) -> None:
        """Turns the groups on, and learns them and the head."""
        from ltbench_plugins.modules.dual_sampling_loss import DualSamplingLoss
        from ltbench_plugins.modules.group_prompts import GroupMatching
        from ltbench_plugins.modules.refining import learned_in

        matching = encoder.get_submodule("lpt")
        assert isinstance(matching, GroupMatching)
        matching.active = True
        drawn, balanced, instance = dual_sampling(self.counts, self.config.instance)
        training.fit(
            [*matching.weights(), *learned_in(head, training.learned, "group_prompts").values()],
            epochs=self.epochs,
            lr=self.config.lr,
            sampling_weights=drawn,
            loss=DualSamplingLoss(self.config, self.ctx, matching, balanced, instance),
        )


def dual_sampling(
    counts: tuple[int, ...], instance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Returns the frequency q of drawing each class, and the weights of both losses, each (K,).

    >>> drawn, balanced, instance = dual_sampling((3, 1), 0.5)
    >>> (drawn * 12).round(9), (drawn * balanced).round(9), (drawn * instance).round(9)
    (array([7., 5.]), array([0.5, 0.5]), array([0.75, 0.25]))

    Args:
        counts: Number of training images of each class.
        instance: Weight eta of the images as they are, in the first epoch.
    """
    import numpy as np

    prior = np.array(counts, dtype=np.float64) / sum(counts)
    present = prior > 0
    uniform = present / present.sum()
    drawn = (uniform + instance * prior) / (1 + instance)
    at = np.where(present, drawn, 1.0)
    return drawn, uniform / at, prior / at


def build(config: GroupPromptsConfig, ctx: BuildContext) -> GroupPromptsPhase:
    """Builds the refinement."""
    return GroupPromptsPhase(ctx.class_counts, second_epochs(config, ctx), config, ctx)


GROUP_PROMPTS = RefinementSpec(
    name="group_prompts",
    summary="second phase of LPT: prompts of groups of images, with dual sampling",
    config=GroupPromptsConfig,
    build=build,
    reference="arXiv:2210.01033",
)
