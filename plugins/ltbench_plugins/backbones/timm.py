"""Any model of timm, by name and tag, or with a local weights file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ltbench import BackboneContext, BackboneSpec, Recipe, option
from ltbench.errors import ConfigError, suggestion
from ltbench_plugins.backbones.weights import explain_weights, file_identity

if TYPE_CHECKING:
    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class TimmConfig:
    """Options of timm models."""

    model: str = option(
        "vit_base_patch16_224.augreg_in21k", "architecture.tag, from `timm.list_pretrained()`"
    )
    pretrained: bool = option(True, "pretrained weights; false: random, for tests and timing")
    pool: Literal["token", "avg"] | None = option(
        None, "pooling: class token, or mean of the patches; none: the model's own choice"
    )
    weights: Path | None = option(None, "local safetensors file instead of the tag's weights")


def build(config: TimmConfig, ctx: BackboneContext) -> Backbone:
    """Builds the model without its classifier, with the model's own pooling."""
    import timm
    import torch
    from timm.data.config import resolve_model_data_config

    from ltbench.backbone import Architecture, Backbone, Library
    from ltbench_plugins.modules.families import output_width, timm_blocks
    from ltbench_plugins.modules.library_names import timm_names

    if not timm.is_model(config.model):
        known = timm.list_models()
        raise ConfigError(
            f"backbone.model: timm has no model '{config.model}'",
            hint=suggestion(config.model.partition(".")[0], known),
        )
    torch.manual_seed(ctx.seed)
    with explain_weights(f"timm {config.model}", config.weights, from_hub=config.pretrained):
        file = {} if config.weights is None else _contents(config.model, config.weights)
        model: Any = timm.create_model(
            config.model,
            pretrained=config.pretrained or bool(file),
            pretrained_cfg_overlay=file,
            num_classes=0,
        )
    model.pretrained_cfg.pop("state_dict", None)  # loaded already: frees a copy of all weights
    if config.pool is not None:
        try:
            model.reset_classifier(0, global_pool=config.pool)
        except AssertionError as error:
            raise ConfigError(
                f"backbone.pool: {config.model} cannot pool by '{config.pool}'",
                hint="omit backbone.pool to use the model's own pooling",
            ) from error
    shown: dict[str, Any] = resolve_model_data_config(model)
    resolution = int(shown["input_size"][-1])
    arguments = {} if config.pool is None else {"global_pool": config.pool}
    return Backbone(
        model,
        width=output_width(model, resolution),
        resolution=resolution,
        mean=shown["mean"],
        std=shown["std"],
        blocks=timm_blocks(model),
        architecture=Architecture(Library.TIMM, config.model, arguments, timm_names),
    )


def _contents(model: str, weights: Path) -> dict[str, Any]:
    """Returns timm's options for loading a file: all tensors except for the classifier.

    timm's own loading of files ignores missing and misfitting tensors once the classifier is left
    out, and expects NumPy's format for some tags.
    """
    import timm
    from safetensors.torch import load_file

    tensors = load_file(weights)
    known = timm.get_pretrained_cfg(model)
    classifiers = getattr(known, "classifier", None) or ()
    for name in [classifiers] if isinstance(classifiers, str) else classifiers:
        for part in ("weight", "bias"):
            tensors.pop(f"{name}.{part}", None)
    return {"state_dict": tensors, "num_classes": 0, "classifier": None}


def label_sets(config: TimmConfig) -> tuple[str, ...]:
    """Returns "imagenet_1k" if the tag shows that the weights were trained with its labels."""
    import timm

    if not config.pretrained and config.weights is None:
        return ()
    known = timm.get_pretrained_cfg(config.model)  # includes the default tag
    return ("imagenet_1k",) if "in1k" in (getattr(known, "tag", None) or "") else ()


def identity(config: TimmConfig) -> str:
    """Returns the tag of the weights, or the hash of the local file."""
    if config.weights is not None:
        return file_identity(config.weights)
    return f"tag:{config.model}" if config.pretrained else "random"


TIMM = BackboneSpec(
    name="timm",
    summary="any model of timm, by name and tag or with a local weights file",
    config=TimmConfig,
    build=build,
    libraries=("timm",),
    identity=identity,
    random_weights=lambda config: not config.pretrained and config.weights is None,
    label_sets=label_sets,
    without_labels="--backbone timm --set backbone.model=vit_base_patch16_224.augreg_in21k was not "
    "fine-tuned on them",
    reference="github.com/huggingface/pytorch-image-models",
    recipe=Recipe(settings={"init": "class_mean"}),
    examples=(
        {"model": "test_vit", "pretrained": False},
        {"model": "test_resnet", "pretrained": False},
    ),
)
