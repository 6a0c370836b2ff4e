from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ltbench
from ltbench_plugins.methods.lift_plus import LIFT_PLUS
from tests.conftest import Ended

Cli = Callable[..., Ended]


def test_list_shows_everything_and_filters(cli: Cli) -> None:
    everything = cli("list", "--json").json["components"]
    methods = cli("list", "methods", "--json").json["components"]
    assert [item for item in everything if item["kind"] == "method"] == methods
    assert cli("list", "method").out == cli("list", "methods").out
    assert all(item["summary"] for item in everything)
    wrong = cli("list", "metods")
    assert (wrong.code, "did you mean 'methods'?" in wrong.err) == (2, True)


def test_show_lists_options_and_recipe(cli: Cli) -> None:
    shown = cli("show", "method", "lift_plus")
    for said in ("method.dim", "method.layers", "train.lr = 0.02", "arXiv:2504.13282"):
        assert said in shown.out
    described = cli("show", "loss", "logit_adjusted", "--json").json
    assert described["options"][0]["name"] == "tau"
    assert cli("show", "method", "zero_shot", "--json").json["fixed"]["train.epochs"] == 0
    assert cli("show", "method", "nothing").code == 2


def test_doctor_finds_what_is_missing(cli: Cli) -> None:
    found = cli("doctor", "--json")
    assert found.code == 0
    findings = found.json["findings"]
    assert {item["topic"] for item in findings} >= {"versions", "devices", "plugins", "data sets"}
    missing = [item for item in findings if item["status"] == "missing"]
    assert any("imagenet_lt" in item["text"] and item["hint"] for item in missing)
    shown = cli("doctor").out
    assert "imagenet_lt" in shown
    assert "needs options  folder: for your own images" in shown


def test_help_and_version(cli: Cli) -> None:
    for verb in ("run", "eval", "compare", "list", "show", "doctor"):
        shown = cli(verb, "--help")
        assert shown.code == 0
        assert "Example" in shown.out or verb == "doctor"
    assert cli("--version").out.startswith("ltbench ")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run, which is copied for each test."""
    store = tmp_path_factory.mktemp("trained")
    settings = {"train.epochs": 2, "dataset.largest": 24, "precision": "fp32"}
    ltbench.run(out=store, device="cpu", progress=False, **settings)
    return store


@pytest.fixture
def finished(cli: Cli, tmp_path: Path, trained: Path) -> Path:
    shutil.copytree(trained, tmp_path / "runs")
    (found,) = (tmp_path / "runs").glob("*/*/*/*/result.json")
    return found.parent


def test_eval_recomputes_from_stored_predictions(cli: Cli, finished: Path) -> None:
    stored = json.loads((finished / "result.json").read_text())
    again = cli("eval", str(finished), "--json")
    assert again.json["metrics"] == stored["metrics"]
    assert again.err == ""  # no model was built
    older = cli("eval", str(finished), "--shot-rule", "inclusive", "--json").json["metrics"]
    assert older["shot_rule"] == "inclusive"
    assert older["accuracy"] == stored["metrics"]["accuracy"]


@pytest.mark.full
def test_eval_runs_the_model_for_views_it_has_not_seen(cli: Cli, finished: Path) -> None:
    first = cli("eval", str(finished), "--inference", "center", "--json")
    assert first.code == 0, first.err
    assert (finished / "predictions-center.parquet").exists()
    again = cli("eval", str(finished), "--inference", "center", "--json")
    assert (again.json, again.err) == (first.json, "")
    wider = cli("eval", str(finished), "--set", "inference.expand=8", "--json")
    assert (finished / "predictions-tte-expand=8.parquet").exists()
    assert wider.json["inference"]["options"] == {"expand": 8}


def test_eval_of_the_own_views_equals_the_run(cli: Cli, finished: Path) -> None:
    stored = json.loads((finished / "result.json").read_text())
    (finished / "predictions-tte.parquet").unlink()
    again = cli("eval", str(finished), "--json").json["metrics"]
    assert np.isclose(again["accuracy"], stored["metrics"]["accuracy"])
    assert again["per_class"] == stored["metrics"]["per_class"]


def test_eval_faults(cli: Cli, finished: Path, tmp_path: Path) -> None:
    assert cli("eval", str(tmp_path)).code == 4
    changed = cli("eval", str(finished), "--set", "train.lr=1")
    assert (changed.code, "only change inference.*" in changed.err) == (2, True)
    (finished / "learned.safetensors").write_bytes(b"broken")
    broken = cli("eval", str(finished), "--inference", "center")
    assert (broken.code, "learned.safetensors cannot be read" in broken.err) == (4, True)
    (finished / "result.json").unlink()
    unfinished = cli("eval", str(finished))
    assert (unfinished.code, "is not finished" in unfinished.err) == (4, True)


def zeroed(path: Path) -> None:
    """Sets the data of a safetensors file to zero; header and size stay."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    path.write_bytes(content[:start] + bytes(len(content) - start))


def test_eval_refuses_damage_that_leaves_sizes_alone(cli: Cli, finished: Path) -> None:
    table = pq.read_table(finished / "predictions-tte.parquet")
    place = table.column_names.index("prediction")
    wrong = (table["prediction"].to_numpy() + 1) % 10
    changed = table.set_column(place, table.field(place), pa.array(wrong))
    pq.write_table(changed, finished / "predictions-tte.parquet")
    refused = cli("eval", str(finished))
    assert (refused.code, "prediction is not what was written" in refused.err) == (4, True)
    (finished / "predictions-tte.parquet").unlink()
    zeroed(finished / "learned.safetensors")
    refused = cli("eval", str(finished))
    assert (refused.code, "is damaged" in refused.err) == (4, True)
    assert not (finished / "predictions-tte.parquet").exists()


@pytest.mark.full
def test_eval_refuses_files_of_other_runs(cli: Cli, finished: Path, tmp_path: Path) -> None:
    arguments = ["--epochs", "2", "--set", "dataset.largest=24", "--precision", "fp32"]
    other = tmp_path / cli("run", "--json", "--seed", "1", *arguments).json["directory"]
    shutil.copy(other / "predictions-tte.parquet", finished)
    refused = cli("eval", str(finished))
    assert refused.code == 4
    assert f"expected hash {finished.name}, got {other.name}" in " ".join(refused.err.split())
    shutil.copy(other / "learned.safetensors", finished)
    refused = cli("eval", str(finished), "--inference", "center")
    assert refused.code == 4
    told = " ".join(refused.err.split())
    assert f"expected weights of run {finished.name}, got {other.name}" in told


def test_eval_refuses_components_that_mean_something_else_now(
    cli: Cli, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ltbench_plugins.methods.lift_plus.LIFT_PLUS", replace(LIFT_PLUS, version=99)
    )
    stored = cli("eval", str(finished), "--json")
    assert stored.code == 0, stored.err
    refused = cli("eval", str(finished), "--inference", "center")
    assert refused.code == 4
    assert "method 'lift_plus' has changed since the run" in refused.err
