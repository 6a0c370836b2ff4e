"""Projection tuning: the last image projection of a CLIP is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import BuildContext, MethodSpec, NoOptions
from ltbench.errors import NothingMatchedError
from ltbench_plugins.methods.recipes import recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone


class ProjTuning:
    """Features x (P + D) with the frozen projection P (width, joint) and a learned D, 0 at first.

    The paper (ProLIP) adds lambda |P + D - P|^2 to the loss, which is the weight decay of D: lambda
    is half of `optimizer.weight_decay`. The class weights are the text features and stay.
    """

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds the offset to the projection and returns it."""
        from torch.nn.utils import parametrize

        from ltbench_plugins.modules.features import Offset

        if backbone.projection is None:
            raise NothingMatchedError(
                "the backbone has no projection of its own into the space shared with the text",
                hint="take a CLIP with a vision transformer, or another method",
            )
        offset = Offset(backbone.projection)
        parametrize.register_parametrization(backbone, "projection", offset)
        return list(offset.parameters())

    def merge(self, backbone: Backbone) -> None:
        """Adds the offset to the projection."""
        from torch.nn.utils import parametrize

        # Copies of a module share the class that torch made for it, and torch would take the
        # property `projection` from that class.
        shared = type(backbone)
        own = {k: v for k, v in vars(shared).items() if k not in ("__dict__", "__weakref__")}
        backbone.__class__ = type(shared.__name__, shared.__bases__, own)
        parametrize.remove_parametrizations(backbone, "projection")


def build(config: NoOptions, ctx: BuildContext) -> ProjTuning:
    """Builds the method."""
    return ProjTuning()


PROJ_TUNING = MethodSpec(
    name="proj_tuning",
    summary="the last image projection of a CLIP is learned; the text classifier stays",
    build=build,
    reference="arXiv:2410.05270",
    token_wise=True,
    learns_head=False,
    joint=True,
    fixed={"head": "cosine", "head.scale": None, "init": "semantic"},
    recipe=recipe(),
)
