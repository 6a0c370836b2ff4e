"""Any model of timm, by its name and tag, or with a local weights file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench import BackboneContext, BackboneSpec, Recipe, option
from ltbench.errors import ConfigError, suggestion
from ltbench_plugins.backbones.weights import explain_weights, file_identity

if TYPE_CHECKING:
    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class TimmConfig:
    """Options of timm models."""

    model: str = option(
        "vit_base_patch16_224.augreg_in21k", "architecture.tag, as in `timm.list_pretrained()`"
    )
    pretrained: bool = option(True, "false: random weights, for tests and timing")
    weights: Path | None = option(None, "local file to load instead of the tag's weights")


def build(config: TimmConfig, ctx: BackboneContext) -> Backbone:
    """Builds the model without its classifier; features are pooled as the model does it."""
    import timm
    import torch
    from timm.data.config import resolve_model_data_config

    from ltbench.backbone import Backbone
    from ltbench_plugins.modules.families import output_width, timm_blocks

    if not timm.is_model(config.model):
        known = timm.list_models()
        raise ConfigError(
            f"backbone.model: timm has no model '{config.model}'",
            hint=suggestion(config.model.partition(".")[0], known),
        )
    torch.manual_seed(ctx.seed)
    # timm fits a file to the model as it does its hub's weights: a classifier in it is dropped.
    file = {"file": str(config.weights)} if config.weights is not None else {}
    with explain_weights(f"timm {config.model}", config.weights):
        model = timm.create_model(
            config.model,
            pretrained=config.pretrained or bool(file),
            pretrained_cfg_overlay=file,
            num_classes=0,
        )
    shown: dict[str, Any] = resolve_model_data_config(model)
    resolution = int(shown["input_size"][-1])
    return Backbone(
        model,
        width=output_width(model, resolution),
        resolution=resolution,
        mean=shown["mean"],
        std=shown["std"],
        blocks=timm_blocks(model),
    )


def identity(config: TimmConfig) -> str:
    """Returns which weights they are, or the hash of the local file."""
    if config.weights is not None:
        return file_identity(config.weights)
    return f"tag:{config.model}" if config.pretrained else "random"


TIMM = BackboneSpec(
    name="timm",
    summary="any model of timm, by name and tag or local weights file",
    config=TimmConfig,
    build=build,
    identity=identity,
    reference="github.com/huggingface/pytorch-image-models",
    recipe=Recipe(settings={"init": "class_mean"}),
    examples=(
        {"model": "test_vit", "pretrained": False},
        {"model": "test_resnet", "pretrained": False},
    ),
)
