"""Parts of an encoder: their outputs lead to its features."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ltbench.engine.model.encoder_parts import FrozenBlocks, ModelOutput, WholeEncoder
from tests.engine.model.small_encoder import WIDTH, encoder, images


@pytest.mark.parametrize("index", [1, 2])
def test_activations_before_a_block_lead_to_the_features(index: int) -> None:
    backbone = encoder()
    part = FrozenBlocks.before(backbone, index)
    assert part is not None
    assert part.name == f"activations before block {index + 1} of 3"
    outputs = part.encode(images())
    assert outputs.shape == (4, *part.shape) == (4, 16, WIDTH)
    assert torch.equal(part.rest(outputs), backbone(images()))
    assert torch.equal(part.rest(outputs[[2, 0]]), backbone(images())[[2, 0]])


def test_the_blocks_before_are_not_computed_again_and_are_as_before() -> None:
    backbone = encoder()
    part = FrozenBlocks.before(backbone, 2)
    assert part is not None
    outputs = part.encode(images())
    first = backbone.blocks[0].module
    first.get_submodule("mix").register_forward_hook(lambda *args: pytest.fail("computed"))
    part.rest(outputs)
    assert "forward" not in vars(first)
    assert not backbone.blocks[2].module._forward_pre_hooks


def test_the_encoder_is_as_before_when_the_rest_fails() -> None:
    backbone = encoder()
    part = FrozenBlocks.before(backbone, 1)
    assert part is not None
    with pytest.raises(RuntimeError):
        part.rest(torch.ones(2, 3, WIDTH + 1))
    assert torch.equal(backbone(images()), encoder()(images()))


def test_gradients_flow_into_the_blocks_behind() -> None:
    backbone = encoder()
    part = FrozenBlocks.before(backbone, 2)
    assert part is not None
    weight = backbone.blocks[2].module.get_parameter("mix.weight").requires_grad_(True)
    (whole,) = torch.autograd.grad(backbone(images()).square().sum(), weight)
    (ours,) = torch.autograd.grad(part.rest(part.encode(images())).square().sum(), weight)
    assert torch.equal(ours, whole)


def test_tokens_that_a_method_adds_come_after_the_activations() -> None:
    backbone = encoder()

    def add(module: nn.Module, args: tuple[Any, ...]) -> tuple[Tensor]:
        return (torch.cat([args[0], torch.ones(len(args[0]), 1, WIDTH)], dim=1),)

    backbone.blocks[1].module.register_forward_pre_hook(add)
    part = FrozenBlocks.before(backbone, 1)
    assert part is not None
    assert part.shape == (16, WIDTH)
    assert torch.equal(part.rest(part.encode(images())), backbone(images()))


def test_features_before_the_projection_lead_to_those_after_it() -> None:
    backbone = encoder(projected=True)
    part = ModelOutput.of(backbone)
    assert part is not None
    outputs = part.encode(images())
    assert outputs.shape == (4, *part.shape) == (4, WIDTH)
    assert torch.equal(outputs, encoder()(images()))
    assert torch.equal(part.rest(outputs), backbone(images()))
    assert WholeEncoder(backbone).shape == (4,)
    assert part.name == "features"
    backbone.register_forward_hook(lambda module, args, output: output + 1)
    assert part.name == "features before hooks"
    assert torch.equal(part.rest(outputs), backbone(images()))
