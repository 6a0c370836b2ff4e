from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.engine.launch import plan_run, runtime_config
from ltbench.engine.model.compilation import (
    CompiledGraphs,
    FixedSizes,
    allow_graphs,
    compile_blocks,
    graph_limit,
)
from ltbench.errors import ConfigError, Stopped
from ltbench.registry.registry import Registry
from tests.conftest import Ended
from tests.runs import spec_of
from tests.strangers import install

SIZES = FixedSizes(4, (3, 6))

# A block that reads a number which each pass changes: every value is compiled anew.
COUNTED = """
import torch


class Counted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(128))
        self.passes = 0

    def count(self, module, args):
        self.passes += torch.is_grad_enabled()
        return (args[0] * self.scale + 0.0 * self.passes, *args[1:])


class Method:
    def apply(self, backbone):
        counted, block = Counted(), backbone.blocks[-1].module
        block.add_module("counted", counted)
        block.register_forward_pre_hook(counted.count)
        return [counted.scale]


@hookimpl
def ltbench_register_methods():
    return [MethodSpec(name="counted", summary="a method", build=lambda config, ctx: Method())]
"""


class Noting(nn.Linear):
    """Linear layer that notes the number of rows of each pass."""

    def __init__(self) -> None:
        super().__init__(2, 2)
        self.rows: list[int] = []

    def forward(self, input: Tensor) -> Tensor:
        self.rows.append(len(input))
        return super().forward(input)


class Widening(nn.Module):
    """Block whose output has one more column than its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width + 1)

    def forward(self, input: Tensor) -> Tensor:
        found: Tensor = self.linear(input)
        return found


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
def test_each_block_of_a_class_may_have_a_graph_for_each_size() -> None:
    blocks = [Widening(width) for width in range(1, 6)]  # as the stages of a residual network
    # Not monkeypatch: PyTorch hides the option once it has restored it.
    with torch._dynamo.config.patch({graph_limit(): 8}):
        allow_graphs(len(blocks) * SIZES.count)
        graphs = CompiledGraphs()
        graphs.new()
        for block in blocks:
            block.compile(dynamic=False, backend="eager")
        stack = nn.Sequential(*blocks)
        stack(torch.ones(4, 1))
        assert graphs.new() == 5
        with torch.no_grad():
            for rows in (3, 6):
                stack(torch.ones(rows, 1))
                assert graphs.new() == 5
        allow_graphs(2)
        assert getattr(torch._dynamo.config, graph_limit()) == 15


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


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:The .grad attribute")  # of the compiler, about itself
def test_graphs_compiled_after_the_first_epoch_are_warned_about(
    tmp_path: Path, cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    install_folder = tmp_path / "site"
    install_folder.mkdir()
    install(install_folder, monkeypatch, "counted", COUNTED)
    arguments = ("--limit", "5", "--epochs", "3", "--batch-size", "25", "--inference", "center")
    ended = cli("run", "--method", "counted", "--compile", "--device", "cpu", *arguments)
    assert ended.code == 0, ended.err
    warnings = [line for line in ended.err.splitlines() if "more graphs were compiled" in line]
    assert [line.partition(", each")[0] for line in warnings] == [
        f"warning: compile: 2 more graphs were compiled in epoch {epoch}" for epoch in (2, 3)
    ]


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_a_compiled_run_is_resumed_bit_for_bit(registry: Registry, tmp_path: Path) -> None:
    settings = {"method": "vpt", "limit": 5, "compile": True, "inference": "center"}
    sizes = {"train.epochs": 2, "train.batch_size": 20}  # the last batch is smaller
    planned = plan_run(registry, {**settings, **sizes}, tmp_path)
    whole = runtime_config(tmp_path / "whole", "cpu", 0, 0)
    halved = replace(whole, out=tmp_path / "halved")
    planned.execute(whole, "never")
    torch._dynamo.reset()
    with pytest.raises(Stopped):
        planned.execute(halved, "never", stop_after=lambda rows: len(rows) == 1)
    torch._dynamo.reset()  # a resumed run compiles its graphs in another order
    planned.execute(halved, "never")
    for name in ("learned.safetensors", "predictions-center.parquet"):
        found = [(planned.directory(one.out).path / name).read_bytes() for one in (whole, halved)]
        assert found[0] == found[1], name
