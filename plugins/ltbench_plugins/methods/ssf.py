"""SSF: features are scaled and shifted channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import MinLen

from ltbench import BuildContext, MethodSpec, option
from ltbench.errors import NothingMatchedError
from ltbench_plugins.methods.options import BlocksConfig
from ltbench_plugins.methods.recipes import recipe

if TYPE_CHECKING:
    from torch import nn

    from ltbench.backbone import Backbone, Block, Role

Part = Literal["attention", "mlp", "norms"]

ROLES: dict[Part, tuple[Role, ...]] = {
    "attention": ("qkv", "attn_out"),
    "mlp": ("mlp_in", "mlp_out"),
    "norms": ("norm1", "norm2"),
}
DEFAULT_PARTS: tuple[Part, ...] = ("attention", "mlp")


@dataclass(frozen=True)
class SsfConfig(BlocksConfig):
    """Options of SSF."""

    parts: Annotated[tuple[Part, ...], MinLen(1)] = option(
        DEFAULT_PARTS,
        "of each block: the two projections of attention, the two layers of mlp, the two norms",
        added=True,
    )


@dataclass(frozen=True)
class Ssf:
    """y * scale + shift, where y is the output of each Linear or norm of the chosen parts.

    Where blocks have no such parts (ResNets), y is the pooled feature, whatever the layers. New
    weights: scale N(1, 0.02) and shift N(0, 0.02), as long as y. As in LIFT+'s code the norms are
    left out by default; SSF's own paper scales and shifts them too, and the patch embedding and the
    last norm, which no method here changes. The parts are LIFT's `ssf_attn`, `ssf_mlp` and
    `ssf_ln`.
    """

    config: SsfConfig

    def apply(self, backbone: Backbone) -> list[nn.Parameter]:
        """Adds scales and shifts and returns them."""
        from ltbench_plugins.modules.ssf import ScaleShift

        blocks = backbone.select(self.config.layers)
        if not any(block.paths for block in blocks):
            if self.config.parts != DEFAULT_PARTS:
                raise NothingMatchedError(
                    f"method.parts: the backbone's {type(blocks[0].module).__name__} blocks have "
                    "no attention, mlp or layer norms",
                    hint="leave method.parts out: ssf then changes the pooled features",
                )
            return [*ScaleShift(backbone.width).attach(backbone)]
        changed = [(block, role) for block in blocks for role in self._roles()]
        return [p for b, role in changed for p in ScaleShift(_width(b, role)).attach(b[role])]

    def merge(self, backbone: Backbone) -> None:
        """Scales and shifts projections and norms; pooled features have no weight to change."""
        from ltbench_plugins.modules.ssf import ScaleShift

        for block in backbone.select(self.config.layers):
            for role in self._roles() if block.paths else ():
                added = block[role].ssf
                assert isinstance(added, ScaleShift)
                added.merge(block[role])

    def _roles(self) -> list[Role]:
        return [
            role for part, roles in ROLES.items() if part in self.config.parts for role in roles
        ]


def _width(block: Block, role: Role) -> int:
    """Returns the number of channels of a module's output."""
    if role in ROLES["norms"]:
        return block.width
    projection: Any = block[role]
    return int(projection.out_features)


def build(config: SsfConfig, ctx: BuildContext) -> Ssf:
    """Builds the method."""
    return Ssf(config)


SSF = MethodSpec(
    name="ssf",
    summary="a learned scale and shift after each projection of the blocks",
    config=SsfConfig,
    build=build,
    reference="arXiv:2210.08823",
    token_wise=True,
    recipe=recipe(),
    identity_at_start=False,
    examples=({}, {"parts": ("attention", "mlp", "norms")}),
)
