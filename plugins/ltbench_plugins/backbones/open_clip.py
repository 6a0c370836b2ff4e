"""Any model of open_clip, by its name and tag, or with a local weights file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ltbench import BackboneContext, BackboneSpec, Recipe, option
from ltbench.errors import ConfigError, suggestion
from ltbench_plugins.backbones.weights import explain_weights, file_identity

if TYPE_CHECKING:
    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class OpenClipConfig:
    """Options of open_clip models."""

    model: str = option("ViT-B-16-quickgelu", "name in `open_clip.list_models()`")
    tag: str | None = option("openai", "pretrained weights; none: random, for tests and timing")
    weights: Path | None = option(None, "local file to load instead of the tag's weights")


def build(config: OpenClipConfig, ctx: BackboneContext) -> Backbone:
    """Builds the model in float32 and loads its weights."""
    import open_clip
    import torch

    from ltbench_plugins.modules.families import clip_backbone

    known = open_clip.list_models()
    if config.model not in known:
        raise ConfigError(
            f"backbone.model: open_clip has no model '{config.model}'",
            hint=suggestion(config.model, known),
        )
    tags = open_clip.list_pretrained_tags_by_model(config.model)
    if config.weights is None and config.tag is not None and config.tag not in tags:
        raise ConfigError(
            f"backbone.tag: {config.model} has no weights '{config.tag}'",
            hint=suggestion(config.tag, tags),
        )
    torch.manual_seed(ctx.seed)
    pretrained = config.tag if config.weights is None else str(config.weights)
    with explain_weights(f"open_clip {config.model} ({config.tag})", config.weights):
        model = open_clip.create_model(
            config.model, pretrained=pretrained, pretrained_text=pretrained is not None
        )
    shown = model.visual.preprocess_cfg
    resolution = model.visual.image_size
    side = resolution if isinstance(resolution, int) else resolution[0]
    tokenizer = open_clip.get_tokenizer(config.model)
    return clip_backbone(model, tokenizer, side, shown["mean"], shown["std"])


def identity(config: OpenClipConfig) -> str:
    """Returns the tag, or the hash of the local file."""
    return f"tag:{config.tag}" if config.weights is None else file_identity(config.weights)


OPEN_CLIP = BackboneSpec(
    name="open_clip",
    summary="any model of open_clip, by name and tag or local weights file",
    config=OpenClipConfig,
    build=build,
    identity=identity,
    reference="arXiv:2212.07143",
    recipe=Recipe(settings={"init": "semantic"}),
    examples=({"model": "ViT-S-32-alt", "tag": None},),
)
