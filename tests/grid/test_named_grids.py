"""Grids by name: which file is taken, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench.errors import ConfigError, UnknownNameError
from ltbench.grid.named_grids import find_grid, grid_summary
from ltbench.registry.registry import Registry
from tests.conftest import Ended

Cli = Callable[..., Ended]


def test_a_shipped_grid_is_found_by_name(registry: Registry) -> None:
    path = find_grid("digits/methods", registry)
    assert path.is_file()
    assert path.parts[-3:] == ("grids", "digits", "methods.toml")


@pytest.mark.parametrize("name", ["digits/methods", "mine.toml", "mine"])
def test_a_file_goes_before_a_name(
    name: str, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("[defaults]\n")
    assert find_grid(name, registry) == Path(name)


def test_a_folder_of_that_name_is_in_nobodys_way(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits/methods").mkdir(parents=True)
    assert find_grid("digits/methods", registry) == registry.grids["digits/methods"].path


def test_an_unknown_name_is_answered_with_the_nearest(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="there is no grid 'digits/method'") as caught:
        find_grid("digits/method", registry)
    assert "did you mean 'digits/methods'" in caught.value.hint
    assert "`ltbench grid list`" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("none.toml", "give the path of a grid file, or a name of `ltbench grid list`"),
        ("benchmarks/paper/main.toml", "use the name 'paper/main'"),
    ],
)
def test_a_path_without_a_file_is_said_to_be_one(
    given: str, hint: str, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=f"{given} does not exist") as caught:
        find_grid(given, registry)
    assert hint in caught.value.hint


def test_a_summary_is_the_first_sentence_of_the_comment(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text("# Rates of LoRA,\n# three seeds. Costly.\n\n# Nothing else.\n[defaults]\n")
    assert grid_summary(path) == "Rates of LoRA, three seeds"
    path.write_text("[defaults]\n# Nothing.\n")
    assert grid_summary(path) == ""


def test_the_list_has_every_grid_and_says_what_it_is(cli: Cli, registry: Registry) -> None:
    listed = cli("grid", "list")
    assert listed.code == 0, listed.err
    assert "digits/methods" in listed.out
    assert "Seven methods on the handwritten digits" in listed.out
    grids = cli("grid", "list", "--json").json["grids"]
    assert {one["name"]: Path(one["path"]) for one in grids} == {
        name: grid.path for name, grid in registry.grids.items()
    }
    assert all(one["summary"] and one["plugin"] == "builtin_grids" for one in grids)


def test_a_shipped_grid_is_planned_from_an_empty_folder(cli: Cli) -> None:
    plan = cli("grid", "plan", "digits/heads", "--json")
    assert plan.code == 0, plan.err
    assert plan.json["name"] == "heads on digits_lt"
    assert plan.json["totals"]["runs"] == 12
    status = cli("grid", "status", "digits/heads", "--json").json["runs"]
    assert {run["state"] for run in status} == {"to do"}
    refused = cli("grid", "run", "digits/head")
    assert refused.code == 2
    assert "did you mean 'digits/heads'" in refused.err
