"""Semantic-aware initialisation: the class weights are the text features of the class names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, InitSpec, option
from ltbench.errors import ConfigError
from ltbench.protocols import TrainingFeatures

if TYPE_CHECKING:
    from torch import Tensor

    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class SemanticConfig:
    """Options of the semantic initialisation."""

    template: str = option("a photo of a {}.", "prompt; {} is the class name, '_' read as space")


@dataclass(frozen=True)
class Semantic:
    """w_k = normalise(t_k P^T): the text feature t_k, taken back through the image projection P.

    t_k (joint) is normalised. P^T carries it to the space before the projection, where the head
    works; where features are in the joint space already, w_k = t_k.
    """

    prompts: tuple[str, ...]

    def __call__(self, backbone: Backbone, features: TrainingFeatures) -> Tensor:
        """Returns the weight, (K, width)."""
        from torch.nn import functional as F

        if backbone.text is None:
            raise ConfigError(
                "init 'semantic' needs a backbone with a text tower, and this one has none",
                hint="take --init class_mean, or a CLIP backbone",
            )
        text = backbone.text.encode(self.prompts)
        if backbone.projection is None or backbone.projected:
            return text
        return F.normalize(text @ backbone.projection.T, dim=-1)


def build(config: SemanticConfig, ctx: BuildContext) -> Semantic:
    """Builds the initialisation."""
    if "{}" not in config.template:
        raise ConfigError(
            f"init.template: {config.template!r} has no {{}} for the class name",
            hint='for instance --set "init.template=a photo of a {}."',
        )
    names = [name.replace("_", " ") for name in ctx.class_names]
    return Semantic(tuple(config.template.replace("{}", name) for name in names))


SEMANTIC = InitSpec(
    name="semantic",
    summary="text features of the class names",
    config=SemanticConfig,
    build=build,
    reference="arXiv:2309.10019",
)
