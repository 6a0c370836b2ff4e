from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench import BuildContext
from ltbench.backbone import Backbone, Block
from ltbench.errors import NothingMatchedError
from ltbench_convpass.method import CONVPASS, ConvpassConfig
from ltbench_convpass.modules import ConvBypass

WIDTH, DIM = 6, 4


def context() -> BuildContext:
    return BuildContext(
        num_classes=2,
        class_counts=(3, 1),
        class_names=("cat", "dog"),
        width=WIDTH,
        resolution=8,
        logit_scale=None,
        epochs=1,
        seed=0,
        device="cpu",
    )


class Mixing(nn.Module):
    """Stands for attention: what a token gets depends on the others."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.proj(self.qkv(x).cumsum(dim=1))
        return mixed


class Layer(nn.Module):
    """A pre-norm block, with the names that timm has."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn = Mixing()
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 8), nn.GELU(), nn.Linear(8, WIDTH))
        self.drop_path2 = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        out: Tensor = x + self.drop_path2(self.mlp(self.norm2(x)))
        return out


def backbone(roles: bool = True, blocks: int = 2) -> Backbone:
    torch.manual_seed(0)
    layers = [Layer() for _ in range(blocks)]
    paths: Any = {
        "norm1": "norm1",
        "qkv": "attn.qkv",
        "attn_out": "attn.proj",
        "mlp_in": "mlp.0",
        "mlp_end": "drop_path2",
    }
    return Backbone(
        nn.Sequential(*layers),
        width=WIDTH,
        resolution=8,
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        blocks=[Block(layer, paths if roles else {}) for layer in layers],
    )


def apply(config: ConvpassConfig, to: Backbone) -> list[nn.Parameter]:
    learned: list[nn.Parameter] = CONVPASS.build(config, context()).apply(to)
    return learned


def randomised(module: nn.Module) -> None:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))


def written_out(bypass: ConvBypass, tokens: Tensor, special: int) -> Tensor:
    """The paper's formula with a loop over each token and its neighbours, in plain Python."""
    side = math.isqrt(tokens.shape[1] - special)
    kernel, bias = bypass.conv.weight, bypass.conv.bias
    assert bias is not None
    hidden = F.linear(tokens, bypass.down.weight, bypass.down.bias)
    hidden = hidden / (1 + torch.exp(-1.702 * hidden))
    convolved = bias.expand_as(hidden).clone()
    for token in range(special):
        convolved[:, token] += hidden[:, token] @ kernel[:, :, 1, 1].T
    for row in range(side):
        for column in range(side):
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    if 0 <= row + down < side and 0 <= column + right < side:
                        source = special + (row + down) * side + column + right
                        convolved[:, special + row * side + column] += (
                            hidden[:, source] @ kernel[:, :, 1 + down, 1 + right].T
                        )
    convolved = convolved / (1 + torch.exp(-1.702 * convolved))
    return bypass.scale * F.linear(convolved, bypass.up.weight, bypass.up.bias)


@pytest.mark.parametrize(("side", "special"), [(3, 1), (4, 0), (4, 5), (1, 1)])
def test_it_adds_what_the_formula_says(side: int, special: int) -> None:
    bypass = ConvBypass(WIDTH, DIM, 0.1, "identity", dropout=0.1).eval()
    randomised(bypass)
    tokens = torch.randn(2, special + side**2, WIDTH, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(bypass(tokens), written_out(bypass, tokens, special))


def test_a_value_worked_out_by_hand() -> None:
    bypass = ConvBypass(width=1, dim=1, scale=2.0, conv_init="identity", dropout=0.0)
    with torch.no_grad():
        bypass.down.weight.fill_(1.0)
        bypass.conv.weight.fill_(1.0)
        bypass.up.weight.fill_(3.0)
    tokens = torch.tensor([[[10.0], [0.0], [0.0], [0.0], [20.0]]])  # class token, 2 x 2 patches
    # QuickGELU of 10, 20 and 0 is 10, 20 and 0 to seven digits; each patch sees all four.
    expected = 2 * 3 * torch.tensor([[[10.0], [20.0], [20.0], [20.0], [20.0]]])
    torch.testing.assert_close(bypass(tokens), expected)


def test_it_starts_as_the_paper_says() -> None:
    bypass = ConvBypass(WIDTH, DIM, 1.0, "identity", dropout=0.1)
    identity = torch.zeros(DIM, DIM, 3, 3)
    identity[range(DIM), range(DIM), 1, 1] = 1
    assert torch.equal(bypass.conv.weight, identity)
    assert bypass.down.weight.abs().max() <= math.sqrt(6 / (WIDTH + DIM))  # Xavier
    biases = [layer.bias for layer in (bypass.down, bypass.conv, bypass.up)]
    assert not any(bias.any() for bias in biases if bias is not None)
    assert not bypass.up.weight.any()
    xavier = ConvBypass(WIDTH, DIM, 1.0, "xavier", dropout=0.1).conv.weight
    assert 0.9 < xavier.abs().max() / math.sqrt(6 / (9 * DIM + 9 * DIM)) <= 1


@pytest.mark.parametrize("beside", ["both", "attention"])
def test_a_block_adds_it_beside_attention_and_mlp(beside: str) -> None:
    plain, changed = backbone(blocks=1), backbone(blocks=1)
    apply(ConvpassConfig(beside=beside, scale=0.5), changed)  # type: ignore[arg-type]
    bypasses = [module for module in changed.modules() if isinstance(module, ConvBypass)]
    assert len(bypasses) == (2 if beside == "both" else 1)
    for bypass in bypasses:
        randomised(bypass)
    changed.eval()
    tokens = torch.randn(2, 10, WIDTH, generator=torch.Generator().manual_seed(3))
    block: Any = plain.blocks[0].module
    x = block.norm1(tokens)
    hidden = tokens + block.attn(x) + written_out(bypasses[0], x, 1)
    x = block.norm2(hidden)
    expected = hidden + block.mlp(x)
    if beside == "both":
        expected = expected + written_out(bypasses[1], x, 1)
    torch.testing.assert_close(changed.model(tokens), expected, rtol=1e-4, atol=1e-4)


def test_vit_b_learns_a_third_of_a_million_weights_as_in_the_paper() -> None:
    weights = sum(p.numel() for p in ConvBypass(768, 8, 1.0, "identity", 0.1).parameters())
    # down 768 x 8 + 8, conv 8 x 8 x 9 + 8, up 8 x 768 + 768; two in each of 12 blocks
    assert weights == 6152 + 584 + 6912
    assert 2 * 12 * weights == 327_552


def test_only_chosen_blocks_get_one() -> None:
    chosen = backbone()
    learned = apply(ConvpassConfig(layers=(1,), dim=3), chosen)
    named = {name for name, _ in chosen.named_parameters() if "convpass" in name}
    assert len(named) == len(learned) == 2 * 6
    assert all(name.startswith("model.1.") for name in named)


def test_dropout_works_in_training_alone() -> None:
    bypass = ConvBypass(WIDTH, DIM, 1.0, "identity", dropout=0.5)
    randomised(bypass)
    tokens = torch.ones(1, 5, WIDTH)
    torch.manual_seed(0)
    assert not torch.equal(bypass(tokens), bypass(tokens))
    bypass.eval()
    assert torch.equal(bypass(tokens), bypass(tokens))


def test_other_backbones_are_refused_by_name() -> None:
    with pytest.raises(NothingMatchedError, match="blocks have no mlp_in"):
        apply(ConvpassConfig(), backbone(roles=False))
    windows = backbone()
    apply(ConvpassConfig(), windows)
    with pytest.raises(NothingMatchedError, match=r"got \(1, 2, 2, 6\)"):
        windows.model(torch.zeros(1, 2, 2, WIDTH))
