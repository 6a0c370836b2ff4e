"""The frozen part of an encoder: found by a pass with gradients, and tried before it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.engine.model.encoder_parts import ModelOutput
from ltbench.engine.model.encoder_snapshot import EncoderSnapshot
from ltbench.engine.model.frozen_part import frozen_part
from ltbench.engine.model.precision import PrecisionPolicy
from tests.engine.model.small_encoder import WIDTH, encoder

FP32 = PrecisionPolicy("fp32", "as asked", "cpu")
BF16 = PrecisionPolicy("bf16", "as asked", "cpu")


def learn(*names: str) -> Callable[[Backbone], None]:
    def apply(backbone: Backbone) -> None:
        for name in names:
            backbone.get_parameter(name).requires_grad_(True)

    return apply


@pytest.mark.parametrize(
    ("learned", "name"),
    [
        (("model.blocks.2.mix.weight",), "activations before block 3 of 3"),
        (("model.blocks.1.mix.bias", "model.norm.bias"), "activations before block 2 of 3"),
        (("model.norm.weight",), "activations before block 3 of 3"),
        (("model.blocks.0.mix.bias",), None),
        (("model.blocks.2.mix.bias", "model.stem.bias"), None),
    ],
)
def test_it_ends_before_the_first_learned_block(learned: tuple[str, ...], name: str | None) -> None:
    backbone = encoder()
    snapshot = EncoderSnapshot(backbone)
    learn(*learned)(backbone)
    before = torch.random.get_rng_state()
    for policy in (FP32, BF16):
        part = frozen_part(backbone, policy, snapshot)
        assert (None if part is None else part.name) == name
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not backbone.training
    assert all(parameter.grad is None for parameter in backbone.parameters())


def test_a_learned_projection_leaves_the_whole_model() -> None:
    backbone = encoder(projected=True)
    snapshot = EncoderSnapshot(backbone)
    learn("projection")(backbone)
    assert isinstance(frozen_part(backbone, FP32, snapshot), ModelOutput)


def dropout_in_frozen_block(backbone: Backbone) -> None:
    backbone.blocks[0].module.get_submodule("drop").p = 0.5  # type: ignore[assignment]


def changed_frozen_block(backbone: Backbone) -> None:
    backbone.blocks[0].module.register_forward_hook(lambda module, args, output: 2 * output)


def images_read_again(backbone: Backbone) -> None:
    """The last block reads the images, which are blank where its input is replaced."""
    seen: list[Tensor] = []
    backbone.model.register_forward_pre_hook(lambda module, args: seen.append(args[0]))

    def add(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        return output + seen[-1].mean()

    backbone.blocks[2].module.register_forward_hook(add)


def tokens_first(backbone: Backbone) -> None:
    """The first dimension of activations is not that of the images."""
    backbone.blocks[0].module.register_forward_hook(lambda module, args, out: out.transpose(0, 1))
    backbone.model.get_submodule("norm").register_forward_pre_hook(
        lambda module, args: (args[0].transpose(0, 1),)
    )


def other_images_of_the_pass(backbone: Backbone) -> None:
    """Activations depend on the number of images, as the rounding of a convolution may."""
    backbone.blocks[0].module.register_forward_hook(lambda module, args, out: out + len(out))


def other_layout(backbone: Backbone) -> None:
    """Activations of a transformer without a class token: sums over tokens round differently."""

    def transpose(module: nn.Module, args: tuple[Any, ...], out: Tensor) -> Tensor:
        return out.transpose(1, 2).contiguous().transpose(1, 2)

    backbone.blocks[1].module.register_forward_hook(transpose)


def position_in_the_pass(backbone: Backbone) -> None:
    """Features depend on the order of the images, as the rounding of a product may."""

    def add(module: nn.Module, args: tuple[Any, ...], out: Tensor) -> Tensor:
        return out + torch.arange(len(out)).reshape(-1, 1, 1)

    backbone.blocks[2].module.register_forward_hook(add)


@pytest.mark.parametrize(
    "change",
    [
        dropout_in_frozen_block,
        changed_frozen_block,
        images_read_again,
        tokens_first,
        other_images_of_the_pass,
        other_layout,
    ],
)
def test_a_part_that_does_not_lead_to_the_same_features_is_none(
    change: Callable[[Backbone], None],
) -> None:
    backbone = encoder()
    snapshot = EncoderSnapshot(backbone)
    learn("model.blocks.2.mix.weight")(backbone)
    assert frozen_part(backbone, FP32, snapshot) is not None
    change(backbone)
    if change is not changed_frozen_block:
        snapshot = EncoderSnapshot(backbone)
    assert frozen_part(backbone, FP32, snapshot) is None


def test_the_order_of_a_pass_may_matter_behind_it() -> None:
    backbone = encoder()
    snapshot = EncoderSnapshot(backbone)
    position_in_the_pass(backbone)
    learn("model.blocks.2.mix.weight")(backbone)
    assert frozen_part(backbone, FP32, snapshot) is not None


def test_dropout_behind_it_draws_the_same_numbers() -> None:
    backbone = encoder(0.0, 0.0, 0.5)
    snapshot = EncoderSnapshot(backbone)
    learn("model.blocks.2.mix.weight")(backbone)
    part = frozen_part(backbone, FP32, snapshot)
    assert part is not None
    assert part.shape == (16, WIDTH)
