"""A small CLIP whose weights are part of the package."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ltbench import BackboneContext, BackboneSpec, NoOptions, Recipe
from ltbench.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from ltbench.backbone import Backbone

WEIGHTS = Path(__file__).with_name("clip_tiny.safetensors")
ARCHITECTURE = {
    "embed_dim": 64,
    "vision_cfg": {
        "image_size": 32,
        "patch_size": 8,
        "width": 128,
        "layers": 6,
        "head_width": 32,
    },
    "text_cfg": {
        "context_length": 40,
        "vocab_size": 259,
        "width": 64,
        "heads": 4,
        "layers": 2,
    },
    "quick_gelu": True,
}
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
_CONTEXT_TOKENS = 40
_START_TOKEN, _END_TOKEN = 257, 258


def build(config: NoOptions, ctx: BackboneContext) -> Backbone:
    """Builds the model and loads its half-precision weights.

    Raises:
        DataError: The file of the weights is missing or damaged.
    """
    import open_clip
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ltbench.backbone import Architecture, Library
    from ltbench_plugins.modules.families import clip_backbone
    from ltbench_plugins.modules.library_names import open_clip_names

    model = open_clip.CLIP(**ARCHITECTURE)
    try:
        weights = load_file(WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{WEIGHTS} cannot be read: {error}", hint="install ltbench again"
        ) from error
    model.load_state_dict(weights)
    known = Architecture(Library.OPEN_CLIP, CLIP_TINY.name, ARCHITECTURE, open_clip_names)
    return clip_backbone(model, tokenize, 32, MEAN, STD, known)


def tokenize(texts: Sequence[str]) -> Tensor:
    """Returns the bytes of texts between a start and an end token, (N, 40), zero-padded."""
    import torch

    tokens = torch.zeros(len(texts), _CONTEXT_TOKENS, dtype=torch.int64)
    for row, text in enumerate(texts):
        body = [byte + 1 for byte in text.encode()][: _CONTEXT_TOKENS - 2]
        tokens[row, : len(body) + 2] = torch.tensor([_START_TOKEN, *body, _END_TOKEN])
    return tokens


def identity(config: NoOptions) -> str:
    """Returns the hash of the weights file."""
    return f"sha256:{hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()}"


CLIP_TINY = BackboneSpec(
    name="clip_tiny",
    summary="32-pixel CLIP pretrained on rendered glyphs, part of ltbench",
    build=build,
    libraries=("open_clip",),
    identity=identity,
    default=True,
    recipe=Recipe(settings={"init": "semantic"}),
)
