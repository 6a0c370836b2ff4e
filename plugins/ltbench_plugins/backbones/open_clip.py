"""Any model of open_clip, by name and tag, or with a local weights file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench import BackboneContext, BackboneSpec, Recipe, option
from ltbench.errors import ConfigError, suggestion
from ltbench_plugins.backbones.weights import (
    explain_tokenizer,
    explain_weights,
    file_identity,
)

if TYPE_CHECKING:
    from ltbench.backbone import Backbone


@dataclass(frozen=True)
class OpenClipConfig:
    """Options of open_clip models."""

    model: str = option("ViT-B-16-quickgelu", "model name from `open_clip.list_models()`")
    tag: str | None = option("openai", "pretrained weights; none: random, for tests and timing")
    weights: Path | None = option(
        None, "local safetensors file with the tag's weights, or with others if tag=none"
    )


def build(config: OpenClipConfig, ctx: BackboneContext) -> Backbone:
    """Builds the model in float32 and loads its weights."""
    import open_clip
    import torch

    from ltbench.backbone import Architecture, Library
    from ltbench_plugins.modules.families import clip_backbone
    from ltbench_plugins.modules.library_names import open_clip_names

    known = open_clip.list_models()
    if config.model not in known:
        raise ConfigError(
            f"backbone.model: open_clip has no model '{config.model}'",
            hint=suggestion(config.model, known),
        )
    tags = open_clip.list_pretrained_tags_by_model(config.model)
    if config.tag is not None and config.tag not in tags:
        raise ConfigError(
            f"backbone.tag: {config.model} has no weights '{config.tag}'",
            hint=f"{suggestion(config.tag, tags)}; set none for random weights, or for a file "
            "with a normalisation like OpenAI's",
        )
    torch.manual_seed(ctx.seed)
    tokenizer = _tokenizer(config)
    pretrained = config.tag if config.weights is None else str(config.weights)
    # Even with a file, the tag defines the normalisation of images, and the activation that its
    # weights were trained with.
    shown = open_clip.get_pretrained_cfg(config.model, config.tag or "")
    quick = bool(shown.get("quick_gelu"))
    name = f"open_clip {config.model} ({config.tag})"
    text = open_clip.get_model_config(config.model)["text_cfg"]
    from_hub = pretrained is not None or "hf_model_name" in text  # whose settings are on the hub
    with explain_weights(name, config.weights, from_hub=from_hub):
        model = open_clip.create_model(
            config.model,
            pretrained=pretrained,
            pretrained_text=pretrained is not None,
            force_quick_gelu=quick,
            force_preprocess_cfg={key: shown[key] for key in ("mean", "std") if key in shown},
        )
    shown = model.visual.preprocess_cfg
    resolution = model.visual.image_size
    side = resolution if isinstance(resolution, int) else resolution[0]
    known = open_clip.get_model_config(config.model)
    known |= {"quick_gelu": True} if quick else {}
    architecture = Architecture(Library.OPEN_CLIP, config.model, known, open_clip_names)
    warnings = _warnings(config, quick)
    return clip_backbone(
        model, tokenizer, side, shown["mean"], shown["std"], architecture, warnings
    )


def _warnings(config: OpenClipConfig, quick: bool) -> list[str]:
    """Returns warnings about properties of the tag that the model's name does not mention."""
    import open_clip

    if not quick or open_clip.get_model_config(config.model).get("quick_gelu"):
        return []
    of_file = "; for a file of other weights set backbone.tag=none" if config.weights else ""
    return [
        f"{config.model} was built with the activation QuickGELU, with which the weights "
        f"'{config.tag}' were trained, instead of its own GELU{of_file}"
    ]


def _tokenizer(config: OpenClipConfig) -> Any:
    """Returns the model's tokenizer: open_clip's own, or one from the hub.

    With a local weights file, the hub's tokenizer is read from the file's folder if it is there, as
    in the hub's repository.
    """
    import open_clip
    from open_clip.tokenizer import DEFAULT_CONTEXT_LENGTH, HFTokenizer

    folder = None if config.weights is None else config.weights.parent
    text = open_clip.get_model_config(config.model)["text_cfg"]
    of_hub = "hf_tokenizer_name" in text
    in_folder = of_hub and folder is not None and (folder / "tokenizer.json").is_file()
    from_hub = of_hub and not in_folder
    with explain_tokenizer(f"open_clip {config.model}", folder, from_hub=from_hub):
        if in_folder:
            return HFTokenizer(
                str(folder),
                context_length=text.get("context_length", DEFAULT_CONTEXT_LENGTH),
                tokenizer_mode=text.get("tokenizer_mode"),
                **text.get("tokenizer_kwargs", {}),
            )
        return open_clip.get_tokenizer(config.model)


def identity(config: OpenClipConfig) -> str:
    """Returns the tag, or the hash of the local file."""
    return f"tag:{config.tag}" if config.weights is None else file_identity(config.weights)


OPEN_CLIP = BackboneSpec(
    name="open_clip",
    summary="any model of open_clip, by name and tag or with a local weights file",
    config=OpenClipConfig,
    build=build,
    libraries=("open_clip",),
    identity=identity,
    random_weights=lambda config: config.tag is None and config.weights is None,
    reference="arXiv:2212.07143",
    recipe=Recipe(settings={"init": "semantic"}),
    version=2,
    examples=({"model": "ViT-S-32-alt", "tag": None},),
)
