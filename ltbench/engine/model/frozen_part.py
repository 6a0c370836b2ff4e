"""The frozen part of an encoder of which only the end is trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.engine.model.classifier import training_mode
from ltbench.engine.model.encoder_parts import EncoderPart, FrozenBlocks, ModelOutput
from ltbench.engine.model.encoder_snapshot import EncoderSnapshot
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.model.fingerprint import weights_fingerprint
from ltbench.engine.model.precision import PrecisionPolicy

_ORDER = [2, 0, 1]  # of the images that a part is tried on


def frozen_extractor(
    extractor: FeatureExtractor, fingerprint: str, pretrained: EncoderSnapshot
) -> FeatureExtractor | None:
    """Returns the feature extractor that caches the outputs of an encoder's frozen part.

    Args:
        extractor: Feature extractor of the pretrained encoder, to which the method was applied.
        fingerprint: Fingerprint of the pretrained encoder's weights.
        pretrained: Snapshot of the encoder before the method was applied.

    Returns:
        The extractor, or None: all of the encoder is learned or nothing, there is no cache, several
        processes share the run, or the device is a GPU, which computes the blocks of a transformer
        in about the time in which their activations are copied to it.
    """
    config, backbone = extractor.loader_config, extractor.backbone
    used = config.cache.limit and config.group.size == 1 and config.device.type == "cpu"
    if not used or not any(parameter.requires_grad for parameter in backbone.parameters()):
        return None
    part = frozen_part(backbone, extractor.policy, pretrained)
    if part is None:
        return None

    def current() -> str:
        intact = pretrained.unchanged(part.modules)
        return fingerprint if intact else weights_fingerprint(backbone)

    return extractor.of_part(part, current)


def frozen_part(
    backbone: Backbone, policy: PrecisionPolicy, pretrained: EncoderSnapshot
) -> EncoderPart | None:
    """Returns the longest first part of an encoder that no learned parameter influences.

    Whether its outputs lead to the same features, bit for bit, is tried on three images, in
    training and in evaluation: a part with dropout is none, nor one whose activations have no first
    dimension for the images, nor one whose rounding depends on the other images of a pass or on the
    layout of the activations in memory, nor one in which the method has changed anything.

    Args:
        backbone: Encoder with its method; the learned parameters require gradients.
        policy: Precision of the forward pass.
        pretrained: Snapshot of the encoder before the method was applied.

    Returns:
        The part, or None where it would be less than one block.
    """
    blocks = [block.module for block in backbone.blocks]
    if blocks and _learns(blocks[0]):
        return None
    side = backbone.resolution
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(len(_ORDER), 3, side, side, generator=generator)
    images = images.to(backbone.mean.device)
    with torch.random.fork_rng([]):
        backbone.eval()
        part = _candidate(backbone, policy, blocks, images, pretrained)
        fits = part is not None and _replays(backbone, policy, part, images)
        backbone.eval()
    return part if fits else None


def _candidate(
    backbone: Backbone,
    policy: PrecisionPolicy,
    blocks: list[nn.Module],
    images: Tensor,
    pretrained: EncoderSnapshot,
) -> EncoderPart | None:
    """Returns the part before the first block whose output depends on learned parameters."""
    learns: dict[nn.Module, bool] = {}

    def note(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        learns[module] = not isinstance(output, Tensor) or output.requires_grad

    hooks = [one.register_forward_hook(note) for one in (*blocks, backbone.model)]
    try:
        with policy.autocast(), torch.enable_grad():
            backbone(images)
    finally:
        for hook in hooks:
            hook.remove()
    if not learns.get(backbone.model, True):
        part: EncoderPart | None = ModelOutput.of(backbone)
        return part if part is not None and pretrained.unchanged(part.modules) else None
    learned = [number for number, block in enumerate(blocks) if learns.get(block, True)]
    first = learned[0] if learned else len(blocks) - 1  # only something behind it is learned
    if first <= 0:
        return None
    with policy.autocast():
        part = FrozenBlocks.before(backbone, first)
    return part if part is not None and pretrained.unchanged(part.modules) else None


def _replays(
    backbone: Backbone, policy: PrecisionPolicy, part: EncoderPart, images: Tensor
) -> bool:
    """Returns whether the outputs of a part lead to the encoder's features, bit for bit."""
    # Casts of weights are shared within an autocast: each mode has one of its own.
    with policy.autocast(), torch.inference_mode():
        # In passes of other sizes than a training's, and contiguous as they are kept.
        outputs = torch.cat([part.encode(few).to(part.dtype) for few in images.split([1, 2])])
        if outputs.shape != (len(images), *part.shape):
            return False
        if not torch.equal(part.rest(outputs[_ORDER]), backbone(images[_ORDER])):
            return False
    training_mode(backbone)
    found = []
    for compute, inputs in ((part.rest, outputs.clone()), (backbone, images)):
        torch.manual_seed(0)
        with policy.autocast(), torch.enable_grad():
            found.append(compute(inputs).detach())
    return torch.equal(*found)


def _learns(module: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters())
