"""Backbones made from open_clip and timm models: roles of their parts, and separate towers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Architecture, Backbone, Block, Role, TextTower
from ltbench_plugins.modules.attention import FusedAttention
from ltbench_plugins.modules.fusing import fuse_qkv, pack_gate
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
    """Text tower of a CLIP, whose own forward pass also needs images."""

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
    architecture: Architecture | None = None,
    warnings: Sequence[str] = (),
) -> Backbone:
    """Returns a backbone made from an open_clip model.

    For open_clip's own vision transformer, the features are the pooled token after the last norm,
    and its projection is kept apart; for other image towers (ResNet, timm) they are the output.

    Args:
        clip: An `open_clip.CLIP` or `CustomTextCLIP`, which is taken apart.
        tokenize: Function from texts to tokens.
        resolution: Side of its images, in pixels.
        mean: Mean of its images, in 0..1.
        std: Standard deviation of its images, in 0..1.
        architecture: Name and config by which open_clip builds the model.
        warnings: Sentences for the result of a run.
    """
    from open_clip.transformer import VisionTransformer

    quicken(clip)
    visual = clip.visual
    clip.visual = None  # the text tower keeps the other parts
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
        architecture=architecture,
        warnings=warnings,
    )


def _token_embedding(clip: Any) -> nn.Embedding | None:
    """Returns the module from tokens to vectors; None for text towers that have no such name."""
    found = getattr(getattr(clip, "text", clip), "token_embedding", None)
    return found if isinstance(found, nn.Embedding) else None


def timm_blocks(model: nn.Module) -> list[Block]:
    """Returns the blocks of a vision transformer, or of a convolutional network without its stem.

    Convolutional are residual networks, and those of inverted residual blocks (EfficientNet,
    MobileNet), whose last convolution is after the blocks as the last norm of a transformer is.
    Separate parts that methods expect as one Linear are joined in place; see `fusing`. Weights of
    convolutions are stored with channels last.
    """
    transformer: Any = getattr(model, "blocks", None)
    stages: list[Any] = [getattr(model, f"layer{number}", None) for number in (1, 2, 3, 4)]
    if isinstance(transformer, nn.Sequential) and isinstance(transformer[0], nn.Sequential):
        transformer, stages = None, [*transformer]
    if transformer is not None:
        for block in transformer:
            if hasattr(block, "attn") and hasattr(block, "mlp"):
                fuse_qkv(block.attn)
                block.mlp = pack_gate(block.mlp)
        shorten_timm(model)
        return [Block(block, _present(block, TIMM_BLOCK)) for block in transformer]
    blocks = [Block(block, {}) for stage in stages if stage is not None for block in stage]
    if blocks:  # convolutions are faster with channels last
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
    """Returns the length of a model's features."""
    training = model.training
    shape = model.eval()(torch.zeros(1, 3, resolution, resolution)).shape
    model.train(training)
    return int(shape[-1])
