"""Parts of blocks that methods change by option: MLPs, layer norms and batch norms, by hand.

On the CLIP of 4 blocks, d = 128, and on residual networks.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone, Block
from ltbench.config.options import dump_options
from ltbench.engine.model.classifier import Classifier
from ltbench.errors import NothingMatchedError
from ltbench_plugins.methods.adaptformer import AdaptFormerConfig
from ltbench_plugins.methods.ssf import SsfConfig
from ltbench_plugins.modules.families import timm_blocks
from ltbench_plugins.modules.fusing import pack_gate
from ltbench_plugins.modules.lora import BlockLoRA
from ltbench_plugins.modules.ssf import ScaleShift
from tests import parity
from tests.covered import value_of
from tests.plugins.test_methods import apply, fill

ALL = ("q", "k", "v", "out", "mlp_in", "mlp_out")


def mobile_net() -> Backbone:
    """timm's smallest network of inverted residual blocks, with random weights."""
    import timm

    torch.manual_seed(0)
    model = timm.create_model("test_efficientnet", num_classes=0).eval()
    return Backbone(
        model,
        width=256,
        resolution=32,
        mean=parity.HALF,
        std=parity.HALF,
        blocks=timm_blocks(model),
    )


@pytest.mark.parametrize(
    ("method", "options", "count"),
    [
        ("lora", {"targets": ("mlp_in",), "dim": 2}, 4 * 2 * (128 + 512)),
        ("lora", {"targets": ("mlp_in", "mlp_out"), "dim": 3}, 4 * 2 * 3 * (128 + 512)),
        ("lora", {"targets": ALL}, 4 * (4 * 2 * 128 + 2 * (128 + 512))),  # rank 1 as for q and v
        ("ssf", {"parts": ("attention",)}, 4 * 2 * (384 + 128)),
        ("ssf", {"parts": ("mlp",)}, 4 * 2 * (512 + 128)),
        ("ssf", {"parts": ("norms",), "layers": 1}, 2 * (128 + 128)),
        ("adaptformer", {"dim": 1, "scale": 0.1}, 4 * (2 * 128 + (128 + 1) + (128 + 128))),
    ],
)
def test_parts_have_as_many_parameters_as_counted(
    method: str, options: dict[str, Any], count: int
) -> None:
    assert sum(p.numel() for p in apply(parity.clip_vit(), method, **options)) == count


@torch.no_grad()
def moved(parameters: list[nn.Parameter]) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    for parameter in parameters:
        parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    return parameters


@value_of("method", "lora")
@torch.no_grad()
def test_lora_of_an_mlp_is_a_change_of_its_weights() -> None:
    backbone = parity.timm_vit()
    (block,) = backbone.select(1)
    x = torch.randn(2, 5, backbone.width, generator=torch.Generator().manual_seed(1))
    down_in, up_in, down_out, up_out = moved(
        apply(backbone, "lora", dim=2, layers=1, targets=("mlp_in", "mlp_out"))
    )
    assert (down_in.shape, up_in.shape) == ((96, 2), (2, 384))
    assert (down_out.shape, up_out.shape) == ((384, 2), (2, 96))
    fc1: Any = block["mlp_in"]
    fc2: Any = block["mlp_out"]
    hidden = F.gelu(x @ fc1.weight.T + fc1.bias + x @ down_in @ up_in / 2)
    expected = hidden @ fc2.weight.T + fc2.bias + hidden @ down_out @ up_out / 2
    mlp: Any = block.module.mlp
    assert torch.allclose(mlp(x), expected, atol=1e-5)


@torch.no_grad()
def test_gate_and_value_share_a_low_rank_term() -> None:
    from timm.layers.mlp import SwiGLU

    torch.manual_seed(0)
    gated = SwiGLU(6, 10)
    module = nn.ModuleDict({"mlp": pack_gate(copy.deepcopy(gated))})
    block = Block(module, {"mlp_in": "mlp.fc1", "mlp_out": "mlp.fc2"})
    terms = BlockLoRA(block, 2, ("mlp_in", "mlp_out"))
    down, up, _, _ = moved(list(terms.attach(block)))
    assert (down.shape, up.shape) == ((6, 2), (2, 2 * 10))
    x = torch.randn(3, 6)
    term, out = x @ down @ up / 2, terms.get_submodule("mlp_out")
    hidden = F.silu(gated.fc1_g(x) + term[:, :10]) * (gated.fc1_x(x) + term[:, 10:])
    expected = gated.fc2(hidden) + out(hidden)
    assert torch.allclose(module["mlp"](x), expected, atol=1e-5)
    terms.merge(block)
    assert "lora" not in module
    assert torch.allclose(module["mlp"](x), expected, atol=1e-5)


def test_a_target_that_is_no_linear_is_an_error() -> None:
    block = Block(nn.ModuleDict({"fc1": nn.Conv2d(4, 8, 1)}), {"mlp_in": "fc1"})
    with pytest.raises(NothingMatchedError, match="mlp_in of ModuleDict blocks is a Conv2d"):
        BlockLoRA(block, 2, ("mlp_in",))


@value_of("method", "ssf")
@torch.no_grad()
def test_ssf_scales_and_shifts_norms() -> None:
    backbone = parity.timm_vit()
    (block,) = backbone.select(1)
    fill(apply(backbone, "ssf", layers=1, parts=("norms",)), [2, 3, 4, 5])
    fill([*block["norm1"].parameters(recurse=False)], [10, 1])
    x = torch.tensor([1.0, -1.0]).repeat(backbone.width // 2)  # mean 0, deviation 1
    assert torch.allclose(block["norm1"](x), 2 * (10 * x + 1) + 3, atol=1e-3)


@torch.no_grad()
def test_a_norm_is_merged_where_it_has_weights() -> None:
    x = torch.tensor([1.0, -1.0])
    for norm, left in (
        (nn.LayerNorm(2), False),
        (nn.LayerNorm(2, bias=False), False),
        (nn.LayerNorm(2, elementwise_affine=False), True),
        (nn.RMSNorm(2), True),
    ):
        added = ScaleShift(2)
        fill(list(added.attach(norm)), [2, 3])
        added.merge(norm)
        assert hasattr(norm, "ssf") == left
        assert torch.allclose(norm(x), 2 * x + 3, atol=1e-3)


def test_a_residual_network_has_no_parts_for_ssf() -> None:
    with pytest.raises(NothingMatchedError, match="BasicBlock blocks have no attention"):
        apply(parity.timm_resnet(), "ssf", parts=("norms",))


@value_of("method", "adaptformer")
@torch.no_grad()
def test_a_fixed_scale_multiplies_the_bottleneck() -> None:
    backbone = parity.clip_vit()
    block: Any = backbone.blocks[1].module
    x = torch.randn(2, 17, backbone.width, generator=torch.Generator().manual_seed(0))
    plain = block(x)
    apply(backbone, "adaptformer", dim=2, scale=0.1)
    inserted = block.adaptformer
    fill([inserted.down.weight, inserted.down.bias], [0, 1])
    fill([inserted.up.weight, inserted.up.bias], [0.5, 2])
    assert torch.allclose(block(x), plain + 0.1 * (2 * 0.5 + 2), atol=1e-5)


@pytest.mark.parametrize("config", [SsfConfig, AdaptFormerConfig])
def test_defaults_are_in_no_description_of_a_run(config: Any) -> None:
    assert not {"parts", "scale"} & set(dump_options(config())[0])


@pytest.mark.parametrize(
    ("make", "layers", "channels"),
    [
        (parity.timm_resnet, "all", 3 * (16 + 32 + 48 + 64)),  # two, and that of the shortcut
        (mobile_net, 1, 192 + 192 + 64),  # of the wide part, and of the output
    ],
)
def test_bn_tuning_learns_weights_and_biases_of_the_blocks(
    make: Any, layers: Any, channels: int
) -> None:
    backbone = make()
    learned = apply(backbone, "bn_tuning", layers=layers)
    own = {id(p) for block in backbone.select(layers) for p in block.module.parameters()}
    assert own >= {id(p) for p in learned}
    assert all(p.dim() == 1 for p in learned)
    assert sum(p.numel() for p in learned) == 2 * channels


@value_of("method", "bn_tuning")
@torch.no_grad()
def test_bn_tuning_multiplies_by_and_adds_to_what_the_running_statistics_give() -> None:
    norm = nn.BatchNorm2d(1)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.fill_(1)
    norm.running_var.fill_(4)
    backbone = Backbone(
        norm, width=1, resolution=1, mean=parity.HALF, std=parity.HALF, blocks=[Block(norm, {})]
    )
    fill(apply(backbone, "bn_tuning"), [2, 3])
    Classifier(backbone, nn.Identity()).training_mode()
    images = torch.tensor([5.0, 9.0]).view(2, 1, 1, 1)
    expected = torch.tensor([2 * (5 - 1) / 2 + 3, 2 * (9 - 1) / 2 + 3])
    assert torch.allclose(norm(images).flatten(), expected, atol=1e-4)
    assert norm.running_mean.item() == 1


def test_bn_tuning_needs_batch_norms() -> None:
    with pytest.raises(NothingMatchedError, match="have no batch norms") as raised:
        apply(parity.clip_vit(), "bn_tuning")
    assert "ln_tuning" in raised.value.hint


def statistics(backbone: Backbone) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in backbone.model.named_buffers()}


@pytest.mark.parametrize(
    ("make", "method"),
    [
        *((parity.timm_resnet, method) for method in ("full", "bn_tuning", "bitfit", "ssf")),
        *((mobile_net, method) for method in ("full", "bn_tuning", "bitfit", "ssf")),
        (parity.clip_resnet, "bn_tuning"),
    ],
)
def test_running_statistics_stay_in_training(make: Any, method: str) -> None:
    """And the features of an image depend on no other image."""
    backbone = make()
    learned = apply(backbone, method, **({"layers": 1} if method == "full" else {}))
    model = Classifier(backbone, nn.Linear(backbone.width, 3))
    model.learn_only([*learned, *model.head.parameters()])
    before = statistics(backbone)
    optimizer = torch.optim.SGD(learned, lr=0.01)
    model.training_mode()
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    features = backbone(images)
    with torch.no_grad():
        assert parity.relative(backbone(images[:1]), features[:1].detach()) < 1e-4
    F.cross_entropy(model.head(features), torch.tensor([0, 1, 2, 0])).backward()
    assert all(parameter.grad is not None for parameter in learned)
    optimizer.step()
    after = statistics(backbone)
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
