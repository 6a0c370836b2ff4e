"""Turns open_clip and timm models into backbones: names their parts, separates their towers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone, Block, Role, TextTower
from ltbench_plugins.modules.attention import FusedAttention
from ltbench_plugins.modules.fusing import fuse_qkv, packed_gate
from ltbench_plugins.modules.last_block import shorten_open_clip, shorten_timm
from ltbench_plugins.modules.quick_gelu import quicken

OPEN_CLIP_BLOCK: dict[Role, str] = {
    "norm1": "ln_1",
    "qkv": "attn.qkv",
    "attn_out": "attn.proj",
    "norm2": "ln_2",
    "mlp_in": "mlp.c_fc",
    "mlp_out": "mlp.c_proj",
    "mlp_end": "ls_2",
}
TIMM_BLOCK: dict[Role, str] = {
    "norm1": "norm1",
    "qkv": "attn.qkv",
    "attn_out": "attn.proj",
    "norm2": "norm2",
    "mlp_in": "mlp.fc1",
    "mlp_out": "mlp.fc2",
    "mlp_end": "drop_path2",
}


class _TextEncoder(nn.Module):
    """The text tower of a CLIP, whose own forward wants images too."""

    def __init__(self, clip: Any) -> None:
        super().__init__()
        self.clip = clip

    def forward(self, tokens: Tensor) -> Tensor:
        features: Tensor = self.clip.encode_text(tokens)
        return features


def clip_backbone(
    clip: Any,
    tokenize: Callable[[Sequence[str]], Tensor],
    resolution: int,
    mean: Sequence[float],
    std: Sequence[float],
    warnings: Sequence[str] = (),
) -> Backbone:
    """Makes a backbone of an open_clip model.

    The features of open_clip's own vision transformer are the pooled token after the last norm, and
    its projection is kept beside; those of other image towers (ResNet, timm) are their output.

    Args:
        clip: An `open_clip.CLIP` or `CustomTextCLIP`; it is taken apart.
        tokenize: Texts -> tokens.
        resolution: Side of its images, in pixels.
        mean: Of its images.
        std: Of its images.
        warnings: Sentences for the result of a run.
    """
    from open_clip.transformer import VisionTransformer

    quicken(clip)
    visual = clip.visual
    clip.visual = None  # the text tower keeps the rest
    projection = None
    if isinstance(visual, VisionTransformer) and isinstance(visual.proj, Tensor):
        projection = visual.proj.detach()
        visual.proj = None
        blocks = _open_clip_blocks(visual)
    else:
        blocks = timm_blocks(getattr(visual, "trunk", visual))
    return Backbone(
        visual,
        width=output_width(visual, resolution),
        resolution=resolution,
        mean=mean,
        std=std,
        blocks=blocks,
        text=TextTower(_TextEncoder(clip), tokenize, _token_embedding(clip)),
        projection=projection,
        logit_scale=float(clip.logit_scale.detach().exp()),
        warnings=warnings,
    )


def _token_embedding(clip: Any) -> nn.Embedding | None:
    """Returns the module from tokens to vectors; text towers of transformers name it otherwise."""
    found = getattr(getattr(clip, "text", clip), "token_embedding", None)
    return found if isinstance(found, nn.Embedding) else None


def timm_blocks(model: nn.Module) -> list[Block]:
    """Returns the blocks of a vision transformer, or of a residual network without its stem.

    What methods are to find as one Linear becomes one, in place; see `fusing`. Weights of
    convolutions are laid out with channels last.
    """
    transformer: Any = getattr(model, "blocks", None)
    if transformer is not None:
        for block in transformer:
            if hasattr(block, "attn") and hasattr(block, "mlp"):
                fuse_qkv(block.attn)
                block.mlp = packed_gate(block.mlp)
        shorten_timm(model)
        return [Block(block, _present(block, TIMM_BLOCK)) for block in transformer]
    stages = [getattr(model, f"layer{number}", None) for number in (1, 2, 3, 4)]
    blocks = [Block(block, {}) for stage in stages if stage is not None for block in stage]
    if blocks:  # convolutions, which are faster with the channels of a pixel side by side
        model.to(memory_format=torch.channels_last)
    return blocks


def _open_clip_blocks(visual: Any) -> list[Block]:
    for block in visual.transformer.resblocks:
        attention = block.attn
        if isinstance(attention, nn.MultiheadAttention) and attention.batch_first:
            block.attn = FusedAttention(attention)
    shorten_open_clip(visual)
    return [
        Block(block, _present(block, OPEN_CLIP_BLOCK)) for block in visual.transformer.resblocks
    ]


def _present(block: nn.Module, paths: dict[Role, str]) -> dict[Role, str]:
    names = {name for name, _ in block.named_modules()}
    return {role: path for role, path in paths.items() if path in names}


@torch.inference_mode()
def output_width(model: nn.Module, resolution: int) -> int:
    """Returns the length of the features that a model makes of an image."""
    training = model.training
    shape = model.eval()(torch.zeros(1, 3, resolution, resolution)).shape
    model.train(training)
    return int(shape[-1])
