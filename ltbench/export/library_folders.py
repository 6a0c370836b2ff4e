"""Folders that timm and open_clip load: their configs, and weights under their own names."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Architecture, Library
from ltbench.errors import ConfigError, RunError
from ltbench.export.formats import Format
from ltbench.export.linear_head import LinearClassifier
from ltbench.export.program import checked_error, quiet_libraries
from ltbench.export.trained_model import TrainedModel

CLASSIFIER_FILE, WEIGHTS_FILE = "classifier.safetensors", "model.safetensors"
OPEN_CLIP_WEIGHTS, OPEN_CLIP_CONFIG = "open_clip_model.safetensors", "open_clip_config.json"
STUB_TEXT = {"context_length": 8, "vocab_size": 16, "width": 8, "heads": 1, "layers": 1}
"""Text tower of an open_clip model whose features are not in the space of its texts."""

_FORMATS = {Library.TIMM: Format.TIMM, Library.OPEN_CLIP: Format.OPENCLIP}
_PROGRAMS_HINT = "--to torch or --to onnx exports the computation as it is"


def format_of(model: TrainedModel) -> Format | None:
    """Returns the format of the library that the encoder was made from, if there is one."""
    architecture = model.backbone.architecture
    return None if architecture is None else _FORMATS[architecture.library]


def expect_weights(model: TrainedModel, to: Format) -> LinearClassifier:
    """Returns the head of a model that consists of an encoder's weights and a linear head.

    Raises:
        ConfigError: The method or the head has a computation of its own.
    """
    spec = model.result.spec
    if model.unmerged:
        count = len(model.unmerged) - 1
        shown = model.unmerged[0] + (f" and {count} more" if count else "")
        raise ConfigError(
            f"--to {to}: method '{spec.method.name}' has modules of its own that cannot be merged "
            f"into the encoder's weights: {shown}",
            hint=_PROGRAMS_HINT,
        )
    if not isinstance(model.head, LinearClassifier):
        raise ConfigError(
            f"--to {to}: head '{spec.head.name}' is no linear function of the features",
            hint=_PROGRAMS_HINT,
        )
    return model.head


def write_weights(model: TrainedModel, folder: Path) -> float:
    """Writes `model.safetensors`: encoder under the library's names, and the head.

    Returns:
        Largest difference of the merged model's logits from those of the trained model.

    Raises:
        ConfigError: The model has more than weights.
    """
    from safetensors.torch import save_file

    head = expect_weights(model, Format.SAFETENSORS)
    architecture, tensors = model.backbone.architecture, _image_tensors(model)
    about = {"format": "pt", "unit_features": str(head.unit).lower()}
    if architecture is not None:
        reference = _reference(architecture, model, folder, stub=True)
        tensors = architecture.library_names(tensors, reference.state_dict())
        about |= {"library": architecture.library.value, "model": architecture.model}
    both = {**tensors, **_classifier(head)}
    save_file({name: one.contiguous() for name, one in both.items()}, folder / WEIGHTS_FILE, about)
    (folder / OPEN_CLIP_CONFIG).unlink(missing_ok=True)
    return checked_error(model.merge_error, WEIGHTS_FILE)


def write_timm(model: TrainedModel, folder: Path) -> tuple[float, bool]:
    """Writes a folder for `timm.create_model("local-dir:...")`, and reads it back.

    A linear head becomes timm's classifier. One that scales the features to unit length is written
    beside a model without classifier.

    Returns:
        Largest difference of its logits from those of the trained model, and whether the head is
        timm's classifier.

    Raises:
        ConfigError: The backbone is no model of timm, or the model has more than weights.
        RunError: timm reads another model.
    """
    import timm
    from safetensors.torch import save_file

    head = expect_weights(model, Format.TIMM)
    architecture = _architecture(model, Library.TIMM, Format.TIMM)
    reference: Any = _reference(architecture, model, folder, classes=len(model.names))
    layer = reference.get_classifier()
    width = head.weight.shape[1]
    inside = not head.unit and isinstance(layer, nn.Linear) and layer.in_features == width
    tensors = architecture.library_names(_image_tensors(model), reference.state_dict())
    if inside:
        name = next(name for name, module in reference.named_modules() if module is layer)
        tensors[f"{name}.weight"] = head.weight
        tensors[f"{name}.bias"] = torch.zeros(len(model.names)) if head.bias is None else head.bias
    else:
        reference = _reference(architecture, model, folder)
        save_file(_classifier(head, ""), folder / CLASSIFIER_FILE, {"format": "pt"})
    _load(reference, tensors, model, Format.TIMM)
    backbone = model.backbone
    short_side = model.plan.views[-1].short_side if model.plan else backbone.resolution
    with quiet_libraries():
        timm.models.save_for_hf(
            reference,
            str(folder),
            safe_serialization=True,
            data_config={
                "mean": (backbone.mean.flatten() / 255).tolist(),
                "std": (backbone.std.flatten() / 255).tolist(),
                "input_size": (3, backbone.resolution, backbone.resolution),
                "interpolation": "bicubic",
                "crop_pct": backbone.resolution / short_side,
            },
        )
        read = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
        error = model.error_of(_logits(read, model, None if inside else head))
    return checked_error(error, WEIGHTS_FILE), inside


def write_open_clip(model: TrainedModel, folder: Path) -> float:
    """Writes a folder for `open_clip.create_model("local-dir:...")`, and reads it back.

    The head is beside it. Where the features are not in the space of the texts, the model has an
    identity as its projection, and the smallest text tower.

    Returns:
        Largest difference of its logits from those of the trained model.

    Raises:
        ConfigError: The backbone is no model of open_clip, or the model has more than weights.
        RunError: open_clip reads another model.
    """
    import open_clip
    from safetensors.torch import save_file

    head = expect_weights(model, Format.OPENCLIP)
    architecture = _architecture(model, Library.OPEN_CLIP, Format.OPENCLIP)
    stub = has_stub_text(model)
    reference = _reference(architecture, model, folder, stub=stub)
    known = reference.state_dict()
    tensors = dict(model.backbone.state_dict()) if not stub else _image_tensors(model)
    if stub:
        tensors["projection"] = torch.eye(model.backbone.width)
    named = architecture.library_names(tensors, known)
    if stub:
        named = {**{n: one for n, one in known.items() if not n.startswith("visual.")}, **named}
    _load(reference, named, model, Format.OPENCLIP)
    contiguous = {name: one.contiguous() for name, one in reference.state_dict().items()}
    save_file(contiguous, folder / OPEN_CLIP_WEIGHTS, {"format": "pt"})
    save_file(_classifier(head, ""), folder / CLASSIFIER_FILE, {"format": "pt"})
    with quiet_libraries():
        read = open_clip.create_model(f"local-dir:{folder}").eval()
        error = model.error_of(_logits(read.encode_image, model, head))
    return checked_error(error, OPEN_CLIP_WEIGHTS)


def has_stub_text(model: TrainedModel) -> bool:
    """Returns whether a model's features are not in the space of its texts."""
    return model.backbone.projection is not None and not model.backbone.projected


def _architecture(model: TrainedModel, library: Library, to: Format) -> Architecture:
    architecture = model.backbone.architecture
    if architecture is None or architecture.library != library:
        own = "" if architecture is None else f", but of {architecture.library}"
        raise ConfigError(
            f"--to {to}: backbone '{model.result.spec.backbone.name}' is no model of "
            f"{library}{own}",
            hint="choose --to hf-folder, which takes the format that fits the backbone",
        )
    return architecture


def _reference(
    architecture: Architecture,
    model: TrainedModel,
    folder: Path,
    *,
    classes: int = 0,
    stub: bool = False,
) -> nn.Module:
    """Returns the library's own model with random weights.

    Args:
        architecture: Architecture of the encoder.
        model: Trained model.
        folder: Folder, to which open_clip's config is written.
        classes: Number of classes, for timm.
        stub: Whether open_clip's text tower is the smallest, and the projection an identity.
    """
    with quiet_libraries(), torch.random.fork_rng([]):
        try:
            if architecture.library == Library.TIMM:
                import timm

                built: nn.Module = timm.create_model(
                    architecture.model,
                    pretrained=False,
                    num_classes=classes,
                    **architecture.config,
                )
                return built.eval()
            import open_clip

            config = _open_clip_config(architecture, model, stub=stub)
            text = json.dumps(config, indent=2, allow_nan=False) + "\n"
            (folder / OPEN_CLIP_CONFIG).write_text(text, encoding="utf-8")
            found: nn.Module = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
            return found.eval()
        except Exception as error:  # libraries raise errors of any kind
            raise RunError(
                f"{architecture.library} cannot build {architecture.model}: {error}",
                hint=_PROGRAMS_HINT,
            ) from error


def _open_clip_config(
    architecture: Architecture, model: TrainedModel, *, stub: bool
) -> dict[str, Any]:
    """Returns the content of open_clip's config file."""
    config = copy.deepcopy(dict(architecture.config))
    backbone = model.backbone
    if stub:
        quick = {key: config[key] for key in ("quick_gelu",) if key in config}
        config = {"vision_cfg": config["vision_cfg"], "text_cfg": STUB_TEXT, **quick}
        config["embed_dim"] = backbone.width
    return {
        "model_cfg": config,
        "preprocess_cfg": {
            "mean": (backbone.mean.flatten() / 255).tolist(),
            "std": (backbone.std.flatten() / 255).tolist(),
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }


def _image_tensors(model: TrainedModel) -> dict[str, Tensor]:
    """Returns the tensors of the image encoder, by name in the backbone."""
    state = model.backbone.state_dict()
    unused = () if model.backbone.projected else ("projection",)
    return {n: one for n, one in state.items() if not n.startswith("text.") and n not in unused}


def _classifier(head: LinearClassifier, prefix: str = "classifier.") -> dict[str, Tensor]:
    tensors = {"weight": head.weight} | ({} if head.bias is None else {"bias": head.bias})
    return {f"{prefix}{name}": tensor.contiguous() for name, tensor in tensors.items()}


def _load(
    reference: nn.Module, tensors: dict[str, Tensor], model: TrainedModel, to: Format
) -> None:
    """Loads tensors into the library's model.

    Raises:
        ConfigError: The library's model has no place for one of them.
    """
    try:
        reference.load_state_dict(tensors)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:3]]
        raise ConfigError(
            f"--to {to}: the library's model has other weights than the trained encoder of method "
            f"'{model.result.spec.method.name}': {' '.join(lines)}"[:500],
            hint=_PROGRAMS_HINT,
        ) from error


@torch.no_grad()
def _logits(encode: Any, model: TrainedModel, head: LinearClassifier | None) -> Tensor:
    """Returns the logits of a library's model that was read back."""
    outputs: Tensor = encode(model.backbone.normalize(model.images))
    logits: Tensor = outputs if head is None else head(outputs)
    return logits
