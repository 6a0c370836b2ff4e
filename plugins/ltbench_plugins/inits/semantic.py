"""Semantic-aware initialisation: the class weights are the text features of the class names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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
    ensemble: Literal["none", "simple", "imagenet"] = option(
        "none", "mean over CLIP's 7 or 80 prompts for ImageNet, in place of the template"
    )


@dataclass(frozen=True)
class Semantic:
    """w_k = normalise(t_k P^T): the text feature t_k, mapped back through the image projection P.

    t_k (joint) is normalised; with several templates it is the normalised mean of their normalised
    features. P^T maps it to the space before the projection, in which the head works. If features
    are in the joint space already, w_k = t_k.
    """

    names: tuple[str, ...]
    config: SemanticConfig

    def __call__(self, backbone: Backbone, features: TrainingFeatures) -> Tensor:
        """Returns the weight of the head, (K, width)."""
        import torch
        from torch.nn import functional as F

        if backbone.text is None:
            raise ConfigError(
                "init 'semantic' needs a backbone with a text tower, and this one has none",
                hint="choose --init class_mean, or a CLIP backbone",
            )
        encode = backbone.text.encode
        templates = self._templates()
        encoded = [encode([template(name) for name in self.names]) for template in templates]
        text = F.normalize(torch.stack(encoded).mean(dim=0), dim=-1)
        if backbone.projection is None or backbone.projected:
            return text
        return F.normalize(text @ backbone.projection.T, dim=-1)

    def _templates(self) -> Sequence[Callable[[str], str]]:
        """Returns functions from a name to a prompt."""
        if self.config.ensemble == "none":
            return [lambda name: self.config.template.replace("{}", name)]
        from open_clip import zero_shot_metadata as clip

        ensembles: dict[str, Sequence[Callable[[str], str]]] = {
            "simple": clip.SIMPLE_IMAGENET_TEMPLATES,
            "imagenet": clip.OPENAI_IMAGENET_TEMPLATES,
        }
        return ensembles[self.config.ensemble]


def build(config: SemanticConfig, ctx: BuildContext) -> Semantic:
    """Builds the initialisation."""
    if "{}" not in config.template:
        raise ConfigError(
            f"init.template: {config.template!r} has no {{}} for the class name",
            hint='use for example --set "init.template=a photo of a {}."',
        )
    return Semantic(tuple(name.replace("_", " ") for name in ctx.class_names), config)


SEMANTIC = InitSpec(
    name="semantic",
    summary="text features of the class names",
    config=SemanticConfig,
    build=build,
    reference="arXiv:2309.10019",
    examples=({}, {"ensemble": "simple"}),
)
