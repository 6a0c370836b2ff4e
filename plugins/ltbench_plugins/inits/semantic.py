"""Semantic-aware initialisation: the class weights are the text features of the class names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ltbench import BuildContext, InitSpec, option
from ltbench.errors import ConfigError
from ltbench.protocols import TrainingFeatures
from ltbench_plugins.inits.descriptions import file_identity, read_descriptions, read_name

if TYPE_CHECKING:
    from torch import Tensor

    from ltbench.backbone import Backbone, TextTower

_TEMPLATE = "a photo of a {}."
_TEXTS_PER_PASS = 1024  # bounds the memory of the text tower


@dataclass(frozen=True)
class SemanticConfig:
    """Options of the semantic initialisation."""

    template: str = option(
        _TEMPLATE, "prompt; {} is the class name, '_' read as space; \"{}\": the name alone"
    )
    ensemble: Literal["none", "simple", "imagenet"] = option(
        "none", "mean over CLIP's 7 or 80 prompts for ImageNet, in place of the template"
    )
    descriptions: Path | None = option(
        None,
        "JSON file with a list of texts for each class name, in place of the template; none: names",
        added=True,
    )

    def __post_init__(self) -> None:
        if self.descriptions and (self.ensemble != "none" or self.template != _TEMPLATE):
            raise ValueError(
                "descriptions take the place of template and ensemble: expected one of the three"
            )


@dataclass(frozen=True)
class Semantic:
    """w_k = normalise(t_k P^T): the text feature t_k, mapped back through the image projection P.

    t_k (joint) is normalised; with several templates it is the normalised mean of their normalised
    features. P^T maps it to the space before the projection, in which the head works. If features
    are in the joint space already, w_k = t_k.

    With descriptions, t_k is the normalised mean of the normalised features of the texts of class
    k, as they are in the file: neither name nor template is added, as in LIFT's published code. In
    DescriptorCLIP (arXiv:2210.07183) the name precedes each text, and a class's score is the mean
    over its texts: write the name into the texts for the former; the latter differs from this mean
    in the length of t_k alone.
    """

    names: tuple[str, ...]
    config: SemanticConfig
    descriptions: Sequence[Sequence[str]] | None = None

    def __call__(self, backbone: Backbone, features: TrainingFeatures) -> Tensor:
        """Returns the weight of the head, (K, width)."""
        import torch
        from torch.nn import functional as F

        if backbone.text is None:
            raise ConfigError(
                "init 'semantic' needs a backbone with a text tower, and this one has none",
                hint="choose --init class_mean, or a CLIP backbone",
            )
        if self.descriptions is None:
            encode = backbone.text.encode
            templates = self._templates()
            encoded = [encode([template(name) for name in self.names]) for template in templates]
            text = F.normalize(torch.stack(encoded).mean(dim=0), dim=-1)
        else:
            text = _mean_features(backbone.text, self.descriptions)
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


def _mean_features(tower: TextTower, described: Sequence[Sequence[str]]) -> Tensor:
    """Returns the direction of the mean text feature of each class, (K, joint)."""
    import torch
    from torch.nn import functional as F

    texts = [text for of_class in described for text in of_class]
    parts = range(0, len(texts), _TEXTS_PER_PASS)
    features = torch.cat([tower.encode(texts[at : at + _TEXTS_PER_PASS]) for at in parts])
    counts = torch.tensor([len(of_class) for of_class in described])
    classes = torch.arange(len(described)).repeat_interleave(counts).to(features.device)
    sums = features.new_zeros(len(described), features.shape[1]).index_add_(0, classes, features)
    return F.normalize(sums, dim=-1)  # a sum has the direction of the mean


def identity(config: SemanticConfig) -> str:
    """Returns the hash of the file of descriptions; empty without one."""
    return file_identity(config.descriptions) if config.descriptions else ""


def build(config: SemanticConfig, ctx: BuildContext) -> Semantic:
    """Builds the initialisation.

    Raises:
        ConfigError: The template has no place for the class name.
        DataError: The file of descriptions cannot be read, or lacks a class.
    """
    if "{}" not in config.template:
        raise ConfigError(
            f"init.template: {config.template!r} has no {{}} for the class name",
            hint='use for example --set "init.template=a photo of a {}."',
        )
    names = tuple(map(read_name, ctx.class_names))
    if config.descriptions is None:
        return Semantic(names, config)
    return Semantic(names, config, read_descriptions(config.descriptions, names))


SEMANTIC = InitSpec(
    name="semantic",
    summary="text features of the class names",
    config=SemanticConfig,
    build=build,
    identity=identity,
    reference="arXiv:2309.10019",
    examples=({}, {"ensemble": "simple"}),
)
