"""Options within tables, from the command line and from grid files to the store and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ltbench.config.options import as_typed
from ltbench.config.resolve import resolve, settings_of
from ltbench.config.runspec import RunSpec
from ltbench.config.text import Text
from ltbench.errors import ConfigError
from ltbench.grid.grid_file import read_grid
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.testing import installed_plugin
from tests.conftest import Ended

SOURCE = """
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge

from ltbench import MethodSpec, Recipe, hookimpl, option


class Shape(Enum):
    CONVEX = "convex"
    LINEAR = "linear"


@dataclass(frozen=True)
class Schedule:
    warmup: Annotated[int, Ge(0)] = option(0, "epochs")
    shape: Shape = option(Shape.CONVEX, "its shape")
    file: Path | None = option(None, "of its values")


@dataclass(frozen=True)
class Config:
    schedule: Schedule = option(Schedule(shape=Shape.LINEAR), "how it goes")
    window: tuple[int, float] = option((1, 0.5), "width and share")
    limit: int | Literal["none", "auto"] = option("auto", "of steps")


class Nothing:
    def apply(self, backbone):
        return []


@hookimpl
def ltbench_register_methods():
    return [
        MethodSpec(
            name="tabled",
            summary="a method with a table of options",
            config=Config,
            build=lambda config, ctx: Nothing(),
            recipe=Recipe(settings={"method.schedule": {"warmup": 2}}),
        )
    ]
"""


@pytest.fixture(scope="module")
def tabled() -> Iterator[Registry]:
    with installed_plugin("tables", SOURCE):
        yield load_plugins()


def spec_of(registry: Registry, **settings: Any) -> RunSpec:
    keys = {f"method.{key.replace('__', '.')}": value for key, value in settings.items()}
    return resolve(registry, {"method": "tabled", **keys}, Path("data")).spec


def schedule(spec: RunSpec) -> dict[str, Any]:
    options: dict[str, Any] = spec.method.options["schedule"]
    return options


def test_an_option_within_overrules_that_of_the_recipe_alone(tabled: Registry) -> None:
    assert schedule(spec_of(tabled)) == {"warmup": 2, "shape": "linear", "file": None}
    changed = schedule(spec_of(tabled, schedule__shape=Text("convex")))
    assert changed == {"warmup": 2, "shape": "convex", "file": None}


def test_a_whole_table_takes_the_place_of_the_recipe_s(tabled: Registry) -> None:
    changed = schedule(spec_of(tabled, schedule=Text('{shape = "convex"}')))
    assert changed == {"warmup": 0, "shape": "convex", "file": None}


def test_the_hash_knows_what_is_within_but_no_paths(tabled: Registry) -> None:
    here, there = (spec_of(tabled, schedule__file=Text(path)) for path in ("/here", "/there"))
    assert here.hash == there.hash != spec_of(tabled, schedule__warmup=3).hash
    assert there.method.paths == {"schedule.file": "/there"}


def test_a_stored_run_is_read_and_asked_for_again(tabled: Registry) -> None:
    spec = spec_of(tabled, schedule__file=Text("/f"), window=Text("[3, 1]"), limit=Text("4"))
    stored = RunSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert stored.hash == spec.hash
    typed = {key: Text(as_typed(value)) for key, value in settings_of(stored).items()}
    assert resolve(tabled, typed, Path("data")).spec == spec


def test_grid_files_have_tables(tabled: Registry, tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text("""
        [defaults]
        method = "tabled"
        [[include]]
        method.schedule.warmup = [1, 2]
        [[include]]
        method.schedule = { warmup = 5, shape = "convex" }
        method.window = [[1, 0.5], [2, 0.25]]
    """)
    grid = read_grid(file, tabled, tmp_path)
    options = [run.resolved.spec.method.options for run in grid.runs]
    assert [(one["schedule"]["warmup"], one["window"]) for one in options] == [
        (1, [1, 0.5]),
        (2, [1, 0.5]),
        (5, [1, 0.5]),
        (5, [2, 0.25]),
    ]
    file.write_text('[defaults]\nmethod = "tabled"\nmethod.schedule.warmpu = 1\n')
    with pytest.raises(ConfigError):  # a name and a table of one key are no TOML
        read_grid(file, tabled, tmp_path)
    file.write_text('[defaults]\nmethod = "tabled"\n"method.schedule.warmpu" = 1\n')
    with pytest.raises(ConfigError, match="did you mean 'warmup'"):
        read_grid(file, tabled, tmp_path)


def test_faults_within_are_blamed_on_who_set_them(tabled: Registry) -> None:
    with pytest.raises(ConfigError) as caught:
        spec_of(tabled, schedule__warmup=Text("-1"), schedule__shpe=Text("convex"))
    said = caught.value.message
    assert "method.schedule.warmup: expected whole number >= 0, got '-1'" in said
    assert "method.schedule.shpe: is not an option of method 'tabled'" in said
    assert "did you mean 'shape'?" in said


@pytest.mark.usefixtures("tabled")
def test_the_command_takes_and_shows_them(cli: Callable[..., Ended]) -> None:
    shown = cli("show", "method", "tabled").out
    assert "method.schedule.warmup" in shown
    assert "whole number >= 0" in shown
    dry = cli(
        "run", "--method", "tabled", "--set", "method.schedule.warmup=7", "--dry-run", "--json"
    )
    chosen = dry.json["run"]["method"]["options"]["schedule"]
    assert chosen == {"warmup": 7, "shape": "linear", "file": None}
