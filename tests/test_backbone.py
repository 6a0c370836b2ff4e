from __future__ import annotations

import pytest
import torch
from torch import nn

from ltbench.errors import ConfigError, NothingMatchedError
from ltbench.specs import Layers
from tests import parity


class Doubled(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * self.inner(x)


@pytest.mark.parametrize("make", [parity.clip_vit, parity.timm_vit])
def test_a_role_can_be_wrapped(make: object) -> None:
    backbone = make()  # type: ignore[operator]
    block = backbone.blocks[0]
    images, before = torch.ones(1, 3, 32, 32), block["qkv"]
    with torch.no_grad():
        plain = backbone(images)
        block.replace("qkv", Doubled(before))
        assert block["qkv"].inner is before
        assert not torch.allclose(backbone(images), plain)
    assert block.width == backbone.width


@pytest.mark.parametrize(
    ("layers", "chosen"), [("all", [0, 1, 2, 3]), (2, [2, 3]), ((3, 0), [0, 3]), (4, [0, 1, 2, 3])]
)
def test_layers_choose_blocks(layers: Layers, chosen: list[int]) -> None:
    backbone = parity.clip_vit()
    assert backbone.select(layers) == tuple(backbone.blocks[index] for index in chosen)


@pytest.mark.parametrize("layers", [5, (), (4,), (-1,)])
def test_layers_that_are_not_there_are_an_error(layers: Layers) -> None:
    with pytest.raises(ConfigError, match="does not fit a backbone of 4 blocks"):
        parity.clip_vit().select(layers)


def test_blocks_without_roles_and_backbones_without_blocks_say_so() -> None:
    resnet = parity.timm_resnet()
    with pytest.raises(NothingMatchedError, match="BasicBlock blocks have no qkv"):
        resnet.blocks[0]["qkv"]
    resnet.blocks = ()
    with pytest.raises(NothingMatchedError, match="no blocks are known"):
        resnet.select("all")


def test_features_move_to_the_joint_space_once() -> None:
    backbone = parity.clip_vit()
    assert (backbone.width, backbone(torch.ones(1, 3, 32, 32)).shape[1]) == (128, 128)
    backbone.project()
    backbone.project()
    assert (backbone.width, backbone(torch.ones(1, 3, 32, 32)).shape[1]) == (64, 64)
    resnet = parity.clip_resnet()  # its features are there already
    resnet.project()
    assert resnet.width == 64


def test_many_texts_are_encoded_in_parts() -> None:
    text = parity.clip_vit().text
    assert text is not None
    names = [f"thing {number}" for number in range(5)]
    whole = text.encode(names)
    text.batch = 2
    assert torch.allclose(text.encode(names), whole, atol=1e-6)
