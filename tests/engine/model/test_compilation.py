from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.engine.model.compilation import CompiledGraphs, FixedSizes, compile_blocks
from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry
from tests.conftest import Ended
from tests.runs import spec_of

SIZES = FixedSizes(4, (3, 6))


class Noting(nn.Linear):
    """Linear layer that notes the number of rows of each pass."""

    def __init__(self) -> None:
        super().__init__(2, 2)
        self.rows: list[int] = []

    def forward(self, input: Tensor) -> Tensor:
        self.rows.append(len(input))
        return super().forward(input)


def test_batches_are_padded_to_the_next_size_and_cut_again() -> None:
    layer = Noting()
    given = [1, 4, 5]
    alone = [layer(torch.ones(rows, 2)) for rows in given]
    SIZES.register(layer)
    layer.rows.clear()
    assert all(torch.equal(layer(torch.ones(len(one), 2)), one) for one in alone)
    with torch.no_grad():
        assert [len(layer(torch.ones(rows, 2))) for rows in (2, 3, 4, 7)] == [2, 3, 4, 7]
    assert layer.rows == [4, 4, 5, 3, 3, 6, 7]


def test_padding_changes_no_gradient() -> None:
    torch.manual_seed(0)
    layer, images = nn.Linear(2, 2), torch.randn(3, 2)
    (layer(images) ** 2).sum().backward()
    alone, layer.weight.grad = layer.weight.grad, None
    SIZES.register(layer)
    (layer(images) ** 2).sum().backward()
    torch.testing.assert_close(layer.weight.grad, alone)


def test_a_backbone_without_blocks_is_refused() -> None:
    backbone = Backbone(nn.Flatten(), width=12, resolution=2, mean=(0, 0, 0), std=(1, 1, 1))
    with pytest.raises(ConfigError, match="no blocks are known in this backbone"):
        compile_blocks(backbone, SIZES)


def test_only_a_compiled_run_has_another_hash(registry: Registry) -> None:
    plain, compiled = spec_of(registry), spec_of(registry, compile=True)
    assert "compile" not in plain.to_dict()
    assert compiled.to_dict()["compile"] is True
    assert spec_of(registry, compile=False).hash == plain.hash != compiled.hash


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:The .grad attribute")  # of the compiler, about itself
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_compiled_run_learns_what_another_learns(
    cli: Callable[..., Ended], precision: str
) -> None:
    arguments: tuple[Any, ...] = ("run", "--json", "--limit", "30", "--epochs", "3")
    arguments += ("--batch-size", "64", "--precision", precision, "--device", "cpu")
    plain, compiled = cli(*arguments), cli(*arguments, "--compile")
    assert plain.code == compiled.code == 0, plain.err + compiled.err
    assert "compiled in the first pass" in compiled.err
    assert "more graphs" not in compiled.err  # though the last batch of an epoch is smaller
    assert plain.json["hash"] != compiled.json["hash"]
    assert compiled.json["run"]["compile"] is True
    accuracies = [each.json["metrics"]["accuracy"] for each in (plain, compiled)]
    assert abs(accuracies[0] - accuracies[1]) < 3


@pytest.mark.full
def test_another_size_is_counted_as_another_graph() -> None:
    layer, graphs = nn.Linear(2, 2), CompiledGraphs()
    graphs.new()
    layer.compile(dynamic=False)
    layer(torch.ones(3, 2))
    assert graphs.new() == 1
    layer(torch.ones(3, 2))
    assert graphs.new() == 0
    layer(torch.ones(4, 2))
    assert graphs.new() == 1
