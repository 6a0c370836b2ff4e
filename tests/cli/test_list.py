"""`ltbench list`: a line a component, counts by kind, whole summaries of a kind."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ltbench.registry.registry import Registry
from tests.conftest import Ended

Cli = Callable[..., Ended]


@pytest.mark.parametrize("width", [80, 120])
def test_all_kinds_have_a_line_a_component(
    cli: Cli, registry: Registry, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    ended = cli("list")
    assert ended.code == 0
    lines = ended.out.splitlines()
    components = [one for kind in registry.components.values() for one in kind.values()]
    for component in components:
        start = re.compile(rf"  {re.escape(component.spec.name)}( \*)? {{2,}}\S")
        found = [line for line in lines if start.match(line)]
        assert found, component.spec.name
        said = [line.split("  ")[-1].strip().removesuffix(" ...") for line in found]
        assert any(component.spec.summary.startswith(text) for text in said)
    assert max(len(line) for line in lines if line.startswith("  ")) <= width
    assert len(lines) < len(components) + 3 * len(registry.components) + 6
    datasets = len(registry.components["dataset"])
    assert f"{datasets} datasets" in lines
    assert f"{len(components)} components: {datasets} datasets, " in ended.out
    assert ", 3 executors, " in " ".join(ended.out.split())


def test_a_kind_has_whole_summaries_and_references(
    cli: Cli, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = " ".join(cli("list", "methods").out.split())
    for component in registry.components["method"].values():
        assert component.spec.summary in text
        assert component.spec.reference in text
    assert "lift_plus *" in text
