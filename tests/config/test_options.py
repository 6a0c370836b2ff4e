from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Gt

from ltbench import Layers, option
from ltbench.config.options import describe_options, dump_options, parse_options
from ltbench.config.text import Text


@dataclass(frozen=True)
class Config:
    size: Annotated[int, Gt(0)] | None = option(None, "a size")
    rate: float = option(0.5, "a rate")
    mode: Literal["slow", "fast"] = option("slow", "a mode")
    name: str = option("x", "a name")
    flag: bool = option(False, "a flag")
    layers: Layers = option("all", "some layers")
    file: Path | None = option(None, "a file")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("size", "8", 8),
        ("size", "none", None),
        ("rate", "1e-3", 1e-3),
        ("rate", "2", 2.0),
        ("mode", "fast", "fast"),
        ("name", "8", "8"),
        ("flag", "true", True),
        ("layers", "2", 2),
        ("layers", "all", "all"),
        ("layers", "[0, 3]", (0, 3)),
        ("file", "/some/where.bin", Path("/some/where.bin")),
    ],
)
def test_texts_are_read_by_the_option_s_type(name: str, text: str, value: Any) -> None:
    config, faults = parse_options(Config, {name: Text(text)}, "method", "method 'x'")
    assert faults == []
    assert getattr(config, name) == value


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"size": Text("0")}, "method.size"),
        ({"size": Text("1.5")}, "method.size"),
        ({"rate": Text("quick")}, "method.rate"),
        ({"mode": Text("medium")}, "expected slow, fast"),
        ({"flag": Text("perhaps")}, "method.flag"),
        ({"rate": Text("inf")}, "expected a finite number"),
        ({"layers": Text("0,1")}, "expected all or int > 0 or list of int, got '0,1'"),
        ({"sise": Text("3")}, "of method 'x'; did you mean 'size'?"),
    ],
)
def test_faults_name_the_option(values: dict[str, Any], said: str) -> None:
    config, faults = parse_options(Config, values, "method", "method 'x'")
    assert config is None
    assert any(said in fault for fault in faults)


def test_all_faults_come_together() -> None:
    wrong = {"size": Text("-1"), "rate": Text("x"), "nothing": Text("1")}
    _, faults = parse_options(Config, wrong, "method", "method 'x'")
    assert len([fault for fault in faults if "method.size" in fault]) >= 1
    assert any("method.rate" in fault for fault in faults)
    assert any("method.nothing" in fault for fault in faults)


def test_paths_are_dumped_apart() -> None:
    values, paths = dump_options(Config(file=Path("/a/b")))
    assert paths == {"file": "/a/b"}
    assert values["layers"] == "all"
    assert "file" not in values


def test_options_are_described() -> None:
    described = {item.name: item for item in describe_options(Config)}
    assert (described["rate"].default, described["rate"].help) == (0.5, "a rate")
    assert {name: item.type for name, item in described.items()} == {
        "size": "int > 0 or none",
        "rate": "float",
        "mode": "slow, fast",
        "name": "str",
        "flag": "bool",
        "layers": "all or int > 0 or list of int",
        "file": "path or none",
    }
