from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, MinLen

from ltbench import Layers, option
from ltbench.config.options import as_typed, describe_options, dump_options, parse_options
from ltbench.config.text import Text


class Shape(Enum):
    CONVEX = "convex"
    LINEAR = "linear"


class Bits(Enum):
    FOUR = 4
    EIGHT = 8


@dataclass(frozen=True)
class Noise:
    scale: Annotated[float, Ge(0)] = option(0.1, "its strength")
    file: Path | None = option(None, "where it is from")


@dataclass(frozen=True)
class Schedule:
    warmup: Annotated[int, Ge(0)] = option(0, "epochs")
    kind: Literal["cosine", "step"] = option("cosine", "its shape")
    noise: Noise = option(Noise(), "on top")


@dataclass(frozen=True)
class Plateau:
    patience: int = option(3, "epochs")


@dataclass(frozen=True)
class Config:
    size: Annotated[int, Gt(0)] | None = option(None, "a size")
    rate: float = option(0.5, "a rate")
    share: Annotated[float, Interval(gt=0, le=1)] = option(1.0, "a share")
    mode: Literal["slow", "fast"] = option("slow", "a mode")
    version: Literal["1", "2"] = option("1", "a version")
    name: str = option("x", "a name")
    tag: str | None = option(None, "a tag")
    flag: bool = option(False, "a flag")
    auto: bool | None = option(None, "a flag that may be open")
    layers: Layers = option("all", "some layers")
    file: Path | None = option(None, "a file")
    shape: Shape = option(Shape.CONVEX, "a shape")
    bits: Bits | None = option(None, "how many bits")
    either: int | str = option(1, "a number or a word")
    pair: tuple[int, str] = option((1, "a"), "two things")
    words: tuple[str, ...] = option(("q", "v"), "words")
    sizes: Annotated[tuple[Annotated[int, Gt(0)], ...], MinLen(1)] = option((1,), "sizes")
    gaps: tuple[int | None, ...] = option((), "numbers or nothing")
    weights: dict[str, float] = field(default_factory=dict, metadata={"help": "by name"})
    schedule: Schedule = option(Schedule(kind="step"), "a table")
    second: Schedule | None = option(None, "a table or nothing")
    one_of: Schedule | Plateau = option(Plateau(), "one of two tables")


READ = [
    ("size", "8", 8),
    ("size", "none", None),
    ("rate", "1e-3", 1e-3),
    ("rate", "2", 2.0),
    ("share", "1", 1.0),
    ("mode", "fast", "fast"),
    ("version", "2", "2"),
    ("name", "8", "8"),
    ("name", '"8"', "8"),
    ("name", "true", "true"),
    ("name", "none", "none"),
    ("name", "a photo of a {}.", "a photo of a {}."),
    ("tag", "none", None),
    ("tag", "1e5", "1e5"),
    ("flag", "true", True),
    ("auto", "none", None),
    ("auto", "false", False),
    ("layers", "2", 2),
    ("layers", "all", "all"),
    ("layers", "[0, 3]", (0, 3)),
    ("file", "/some/where.bin", Path("/some/where.bin")),
    ("file", "1", Path("1")),
    ("shape", "linear", Shape.LINEAR),
    ("bits", "8", Bits.EIGHT),
    ("bits", "none", None),
    ("either", "8", 8),
    ("either", '"8"', "8"),
    ("either", "eight", "eight"),
    ("pair", '[3, "b"]', (3, "b")),
    ("words", '["k"]', ("k",)),
    ("words", "[]", ()),
    ("sizes", "[3, 4]", (3, 4)),
    ("gaps", '[3, "none"]', (3, None)),
    ("weights", "{a = 1, b = 0.5}", {"a": 1.0, "b": 0.5}),
    ("weights.a", "2", {"a": 2.0}),
    ("schedule.warmup", "3", Schedule(3, "step")),
    ("schedule", "{warmup = 3}", Schedule(3, "step")),
    ("schedule.noise.scale", "1", Schedule(0, "step", Noise(1.0))),
    ("schedule.noise.file", "/a/b", Schedule(0, "step", Noise(file=Path("/a/b")))),
    ("second.warmup", "3", Schedule(3)),
    ("second", "none", None),
    ("second", '{noise = {file = "none"}}', Schedule()),
    ("one_of.patience", "4", Plateau(4)),
    ("one_of", "{warmup = 4}", Schedule(4)),
]


def read(values: dict[str, Any]) -> tuple[Any, list[str]]:
    return parse_options(Config, values, "method", "method 'x'")


@pytest.mark.parametrize(("key", "text", "value"), READ)
def test_texts_are_read_by_the_option_s_type(key: str, text: str, value: Any) -> None:
    config, faults = read({key: Text(text)})
    assert faults == []
    assert getattr(config, key.partition(".")[0]) == value


@pytest.mark.parametrize(("key", "text", "value"), READ)
def test_what_is_written_is_read_again(key: str, text: str, value: Any) -> None:
    config, _ = read({key: Text(text)})
    options, paths = dump_options(config)
    written = {**options, **paths}
    assert read(json.loads(json.dumps(written))) == (config, [])
    assert read({name: Text(as_typed(one)) for name, one in written.items()}) == (config, [])


WHOLE = "expected whole number"
FAULTS = [
    ("size", "0", f"method.size: {WHOLE} > 0 or none, got '0'"),
    ("size", "1.5", f"method.size: {WHOLE} > 0 or none, got '1.5'"),
    ("size", "true", f"method.size: {WHOLE} > 0 or none, got 'true'"),
    ("rate", "quick", "method.rate: expected number, got 'quick'"),
    ("rate", "inf", "method.rate: expected a finite number, got inf"),
    ("share", "0", "method.share: expected number > 0 and <= 1, got '0'"),
    ("mode", "medium", "method.mode: expected slow, fast, got 'medium'"),
    ("flag", "perhaps", "method.flag: expected true or false, got 'perhaps'"),
    ("layers", "0,1", "expected all or whole number > 0 or list of whole numbers, got '0,1'"),
    ("shape", "CONVEX", "method.shape: expected convex, linear, got 'CONVEX'"),
    ("bits", "16", "method.bits: expected 4, 8 or none, got '16'"),
    ("pair", "[1]", "method.pair: expected [whole number, text], got '[1]'"),
    ("words", "q", "method.words: expected list of texts, got 'q'"),
    ("sizes", "[]", "method.sizes: expected list of whole numbers > 0, at least 1, got '[]'"),
    ("gaps", "[1.5]", "method.gaps: expected list of (whole numbers or none), got '[1.5]'"),
    ("gaps", "[1]\nname = 1", "method.gaps: expected list of"),
    ("weights.a", "x", "method.weights: expected table of numbers, got {'a': 'x'}"),
    ("weights", "{a = inf}", "method.weights: expected a finite number"),
    ("nam", "3", "method.nam: is not an option of method 'x'; did you mean 'name'?"),
    ("schedule", "3", "method.schedule: expected table of warmup, kind, noise, got '3'"),
    ("schedule", "none", "method.schedule: expected table of warmup, kind, noise, got 'none'"),
    ("schedule.warmup", "-1", "method.schedule.warmup: expected whole number >= 0, got '-1'"),
    ("schedule.warmpu", "1", "method.schedule.warmpu: is not an option"),
    ("schedule.warmpu", "1", "did you mean 'warmup'?"),
    ("schedule.noise.scale", "a", "method.schedule.noise.scale: expected number >= 0, got 'a'"),
    ("second", "{kind = 1}", "method.second.kind: expected cosine, step, got 1"),
    ("one_of.kind", "x", "method.one_of: expected table of warmup, kind, noise or table of pat"),
    ("rate.x", "1", "method.rate.x: method.rate is not a table: expected number"),
]


@pytest.mark.parametrize(("key", "text", "said"), FAULTS)
def test_faults_name_the_option_what_is_expected_and_what_was_given(
    key: str, text: str, said: str
) -> None:
    config, faults = read({key: Text(text)})
    assert config is None
    assert len(faults) == 1
    assert said in faults[0]


@pytest.mark.parametrize(
    ("key", "value"), [("size", True), ("rate", "x"), ("words", "q"), ("schedule", [1])]
)
def test_values_of_files_are_checked_as_well(key: str, value: Any) -> None:
    config, faults = read({key: value})
    assert config is None
    assert faults[0].endswith(f"got {value!r}")


def test_all_faults_come_together() -> None:
    wrong = {"size": "-1", "rate": "x", "nothing": "1", "schedule.kind": "x", "schedule.x": "1"}
    _, faults = read({key: Text(text) for key, text in wrong.items()})
    assert len(faults) == 5


def test_options_within_a_table_overrule_the_table() -> None:
    config, _ = read({"schedule": {"warmup": 5, "kind": "cosine"}, "schedule.warmup": Text("6")})
    assert config.schedule == Schedule(6, "cosine")


def test_paths_are_dumped_apart() -> None:
    config = Config(file=Path("/a/b"), schedule=Schedule(noise=Noise(file=Path("/c"))))
    values, paths = dump_options(config)
    assert paths == {"file": "/a/b", "schedule.noise.file": "/c"}
    assert values["layers"] == "all"
    assert "file" not in values
    assert values["schedule"] == {"warmup": 0, "kind": "cosine", "noise": {"scale": 0.1}}


@dataclass(frozen=True)
class Pair:
    low: int = option(1, "the lower")
    high: int = option(2, "the higher")

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low={self.low} is above high={self.high}")


@dataclass(frozen=True)
class Required:
    count: Annotated[int, Gt(0)] = field(metadata={"help": "how many"})


def test_options_that_do_not_go_together_are_a_fault() -> None:
    _, faults = parse_options(Pair, {"low": Text("3")}, "loss", "loss 'x'")
    assert faults == ["loss: low=3 is above high=2"]


def test_an_option_without_a_default_must_be_given() -> None:
    _, faults = parse_options(Required, {}, "loss", "loss 'x'")
    assert faults == ["loss.count: expected whole number > 0, got nothing"]
    assert parse_options(Required, {"count": 2}, "loss", "loss 'x'") == (Required(2), [])


def test_options_are_described() -> None:
    described = {item.name: item for item in describe_options(Config)}
    assert (described["rate"].default, described["rate"].help) == (0.5, "a rate")
    assert described["shape"].default == "convex"
    assert described["schedule.kind"].default == "step"  # as the field has it, not the class
    assert described["second.kind"].default == "cosine"
    assert {name: item.type for name, item in described.items() if "." not in name} == {
        "size": "whole number > 0 or none",
        "rate": "number",
        "share": "number > 0 and <= 1",
        "mode": "slow, fast",
        "version": "1, 2",
        "name": "text",
        "tag": "text or none",
        "flag": "true or false",
        "auto": "true or false or none",
        "layers": "all or whole number > 0 or list of whole numbers",
        "file": "path or none",
        "shape": "convex, linear",
        "bits": "4, 8 or none",
        "either": "whole number or text",
        "pair": "[whole number, text]",
        "words": "list of texts",
        "sizes": "list of whole numbers > 0, at least 1",
        "gaps": "list of (whole numbers or none)",
        "weights": "table of numbers",
        "schedule": "table of warmup, kind, noise",
        "second": "table of warmup, kind, noise or none",
        "one_of": "table of warmup, kind, noise or table of patience",
    }
    json.dumps([item.default for item in describe_options(Config)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (False, "false"),
        (0.5, "0.5"),
        ("tte", "tte"),
        ("8", '"8"'),
        ("2024-01-01", '"2024-01-01"'),
        (("q", None), '["q", "none"]'),
        ({"a b": {"c": 1}}, '{"a b" = {c = 1}}'),
    ],
)
def test_values_are_written_as_they_are_typed(value: Any, text: str) -> None:
    assert as_typed(value) == text
