"""CLIP ViT-B/16 with OpenAI's weights: the backbone of most of the paper's tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ltbench import BackboneContext, BackboneSpec, Recipe, option
from ltbench_plugins.backbones import open_clip

if TYPE_CHECKING:
    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class ClipConfig:
    """Options of a CLIP whose model and tag are given."""

    weights: Path | None = option(None, "local file to load instead of the published weights")


def build(config: ClipConfig, ctx: BackboneContext) -> Backbone:
    """Builds the model and loads its weights."""
    return open_clip.build(_full(config), ctx)


def identity(config: ClipConfig) -> str:
    """Returns the tag, or the hash of the local file."""
    return open_clip.identity(_full(config))


def _full(config: ClipConfig) -> open_clip.OpenClipConfig:
    return open_clip.OpenClipConfig("ViT-B-16-quickgelu", "openai", config.weights)


CLIP_VIT_B16 = BackboneSpec(
    name="clip_vit_b16",
    summary="CLIP ViT-B/16, OpenAI's weights",
    config=ClipConfig,
    build=build,
    identity=identity,
    reference="arXiv:2103.00020",
    recipe=Recipe(settings={"init": "semantic"}),
    examples=(),
)
