"""Options that were added, renamed or only name something: hashes of stored runs stay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ltbench import option
from ltbench.config.options import dump_options, label_options, parse_options


@dataclass(frozen=True)
class First:
    size: int = option(1, "a size")
    images: Path | None = option(None, "a folder")


@dataclass(frozen=True)
class Later:
    size: int = option(1, "a size")
    root: Path | None = option(None, "a folder", formerly="images")
    test: int | None = option(None, "a number", added=True)
    title: str | None = option(None, "a name", label=True)


def dumped(config: type, **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    parsed, faults = parse_options(config, values, "dataset", "a set")
    assert not faults
    return dump_options(parsed)


def test_defaults_are_described_as_before() -> None:
    assert dumped(Later) == dumped(First) == ({"size": 1, "images": None}, {})
    assert dumped(Later, title="A b")[0] == dumped(First)[0]
    assert dumped(Later, test=5)[0] == {**dumped(First)[0], "test": 5}
    assert dumped(Later, root="a") == ({"size": 1}, {"root": "a"})


def test_labels_are_no_part_of_the_hash() -> None:
    assert dumped(Later, title="A b")[1] == {"title": "A b"}
    assert label_options(Later) == {"title"}


@pytest.mark.parametrize("values", [{"images": "a"}, {"root": "a"}, {"images": "b", "root": "a"}])
def test_an_earlier_name_is_read(values: dict[str, str]) -> None:
    config, faults = parse_options(Later, values, "dataset", "a set")
    assert not faults
    assert config.root == Path("a")


def test_stored_descriptions_are_read_again() -> None:
    options, others = dumped(Later, root="a", test=5, title="A b")
    assert dumped(Later, **options, **others) == (options, others)
