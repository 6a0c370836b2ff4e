from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ltbench.errors import ConfigError, DataError
from ltbench.registry.registry import Registry
from ltbench.storage.results import Found, find_runs
from ltbench.storage.run_filter import RunFilter
from ltbench.storage.tags import write_tags
from tests.runs import spec_of, store


@pytest.fixture(scope="module")
def found(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Found:
    out = tmp_path_factory.mktemp("runs")
    store(out, spec_of(registry, method="full", train__epochs=3))
    light = store(out, spec_of(registry, method="lift_plus", seed=1, train__lr=0.5))
    store(out, spec_of(registry, method="lift_plus", seed=2, method__layers=[0, 1]))
    write_tags(light, {"paper": "table 3", "n": "03", "table": "3"})
    return find_runs([out])


def seeds(found: Found, *texts: str) -> list[int]:
    return sorted(run.seed for run in RunFilter.from_texts(texts).keep(found).runs)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], [0, 1, 2]),
        (["train.epochs=3"], [0]),
        (["train.epochs=3.0"], [0]),
        (["train.lr=.5"], [1]),
        (["train.lr = 5e-1"], [1]),
        (["method=full"], [0]),
        (['method="full"'], [0]),
        (["seed=1", "seed=2"], [1, 2]),
        (["seed=1", "seed=2", "method=lift_plus", "train.lr=0.5"], [1]),
        (["method.layers=[0, 1]"], [2]),
        (["method.layers=[0.0,1]"], [2]),
        (["tag.paper=table 3"], [1]),
        (["tag.n=03"], [1]),
        (["split=test"], [0, 1, 2]),
    ],
)
def test_runs_are_kept_by_typed_values(found: Found, texts: list[str], expected: list[int]) -> None:
    assert seeds(found, *texts) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (None, [0, 1, 2]),
        ({"train.epochs": 3}, [0]),
        ({"train.epochs": "3"}, [0]),
        ({"seed": [1, 2]}, [1, 2]),
        ({"seed": {0, 1}}, [0, 1]),
        ({"method": ["full", "lora"]}, [0]),
        ({"method.layers": [0, 1]}, [2]),
        ({"method.layers": (0, 1), "seed": 2}, [2]),
        ({"method.layers": ["0", "1.0"]}, [2]),
        ({"seed": np.int64(1)}, [1]),
        ({"seed": pd.Series([0, 2], dtype="Int64")}, [0, 2]),
        ({"seed": list(pd.array([0, 2], dtype="Int64"))}, [0, 2]),
        ({"method": pd.Categorical(["full"])}, [0]),
        ({"method.layers": np.arange(2)}, [2]),
        ({"tag.paper": "table 3"}, [1]),
        ({"tag.table": 3}, [1]),
        ({"tag.table": [3, 4]}, [1]),
    ],
)
def test_runs_are_kept_by_python_values(
    found: Found, settings: dict[str, Any] | None, expected: list[int]
) -> None:
    kept = RunFilter.from_settings(settings).keep(found)
    assert sorted(run.seed for run in kept.runs) == expected


def test_a_hash_is_matched_by_its_first_digits(found: Found) -> None:
    run = found.runs[0]
    assert RunFilter.from_texts([f"hash={run.hash[:5].upper()}"]).matching([run])
    assert RunFilter.from_settings({"hash": run.hash}).keep(found).runs == (run,)
    with pytest.raises(DataError, match="no hash begins so"):
        RunFilter.from_texts(["hash=zzz"]).keep(found)


def test_true_is_no_number(found: Found) -> None:
    with pytest.raises(DataError, match="seed is 0, 1, 2"):
        RunFilter.from_settings({"seed": True}).keep(found)


def test_a_filter_that_keeps_nothing_lists_the_values(found: Found) -> None:
    with pytest.raises(DataError, match="none of 3 runs: method is full, lift_plus"):
        seeds(found, "method=lora")
    with pytest.raises(DataError, match="no run has these values together"):
        seeds(found, "method=full", "seed=1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs=3", "did you mean train.epochs"),
        ("train.epoch=3", "did you mean 'train.epochs'"),
        ("train.momentum=0.9", "optimizer.momentum now"),
        ("tag.papers=x", "no run has this tag; did you mean 'paper'"),
        ("method", "expected KEY=VALUE"),
        ("=3", "expected KEY=VALUE"),
        ("method=", "expected KEY=VALUE"),
    ],
)
def test_unusable_conditions_are_explained(found: Found, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        seeds(found, text)


@pytest.mark.parametrize("where", [["method=full"], {3: 4}, {"seed": object()}, {"seed": pd.NA}])
def test_python_values_are_checked(where: Any) -> None:
    with pytest.raises(ConfigError, match="where:"):
        RunFilter.from_settings(where)


def test_nothing_to_filter_stays_nothing() -> None:
    assert RunFilter.from_texts(["method=full"]).keep(Found((), ())).runs == ()
