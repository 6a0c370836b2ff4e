from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import find_runs
from ltbench.storage.run_table import RunTable, varying_keys
from ltbench.storage.tags import write_tags
from tests.runs import spec_of, store

Runs = tuple[RunResult, ...]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Runs:
    out = tmp_path_factory.mktemp("runs")
    store(out, spec_of(registry, method="full"), skill=0.0)
    store(out, spec_of(registry, method="full", train__epochs=3), skill=1.0)
    few = {"metrics": {"few": None}}
    light = store(out, spec_of(registry, method="lora", loss="focal"), changed=few)
    write_tags(light, {"paper": "table 3"})
    store(out, spec_of(registry, method="lora", seed=1), skill=2.0)
    return find_runs([out]).runs


def column(table: RunTable, name: str) -> list[object]:
    return [row[name] for row in table.rows]


def test_columns_that_distinguish_the_runs_are_shown(runs: Runs) -> None:
    table = RunTable.of(runs)
    first = ("hash", "dataset", "backbone", "method")
    last = ("seed", "accuracy", "few", "tags")
    assert table.columns == (*first, "train.epochs", "loss", *last)
    assert RunTable.of(runs[:1], sort="ece").columns == (*first, "seed", "accuracy", "few", "ece")


def test_options_of_components_that_differ_are_no_columns(runs: Runs) -> None:
    lora = [run for run in runs if run.spec.method.name == "lora"]
    assert varying_keys(lora) == ["loss"]
    assert varying_keys([runs[0]]) == []


def test_any_key_is_a_column(runs: Runs) -> None:
    names = ["path", "finished", "tag.paper", "train.lr", "training.seconds", "learned.total"]
    names += ["environment.device", "environment.packages", "selection.rule", "tags", "hash"]
    table = RunTable.of(runs, names)
    (row,) = [row for row in table.rows if row["tag.paper"] is not None]
    assert row["training.seconds"] == 3.5
    assert row["environment.device"] == "cpu"
    assert row["tags"] == {"paper": "table 3"}
    assert Path(str(row["path"])).name == row["hash"]
    assert len(str(row["finished"])) == len("2026-01-01 00:00:00")


@pytest.mark.parametrize(
    ("sort", "falls"), [("accuracy", True), ("-accuracy", False), ("ece", False), ("-ece", True)]
)
def test_metrics_are_sorted_with_the_best_first(runs: Runs, sort: str, falls: bool) -> None:
    name = sort.removeprefix("-")
    values = column(RunTable.of(runs, [name], sort), name)
    assert values == sorted(values, reverse=falls)  # type: ignore[type-var]


def test_other_columns_are_sorted_ascending(runs: Runs) -> None:
    assert column(RunTable.of(runs, ["method"], "method"), "method") == ["full"] * 2 + ["lora"] * 2
    epochs = column(RunTable.of(runs, ["train.epochs"], "-train.epochs"), "train.epochs")
    assert epochs == sorted(epochs, reverse=True)  # type: ignore[type-var]


@pytest.mark.parametrize("sort", ["few", "-few", "tag.paper", "-tag.paper"])
def test_runs_without_a_value_are_last(runs: Runs, sort: str) -> None:
    name = sort.removeprefix("-")
    values = column(RunTable.of(runs, [name], sort), name)
    missing = [value is None for value in values]
    assert missing == sorted(missing)
    assert any(missing)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("epochs", "train.epochs"),
        ("acuracy", "'accuracy'"),
        ("training.second", "training.seconds"),
    ],
)
def test_an_unknown_column_is_explained(runs: Runs, name: str, near: str) -> None:
    for table in ({"columns": [name]}, {"sort": name}):
        with pytest.raises(ConfigError, match=f"column {name}: no run has this key; did you mean"):
            RunTable.of(runs, **table)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=near):
        RunTable.of(runs, [name])


def test_no_runs_make_no_rows() -> None:
    assert RunTable.of([], ["whatever"], "few").rows == ()
