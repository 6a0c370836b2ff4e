"""`ltbench diagnose` on stored runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ltbench.registry.registry import Registry
from ltbench.storage.diagnosis_schema import Diagnosis, read_diagnosis, write_diagnosis
from ltbench.storage.run_directory import RunDirectory
from tests.analysis.diagnosis.diagnosed import diagnosis_of, stored_run
from tests.conftest import Ended
from tests.runs_on_images import failing_run

Cli = Callable[..., Ended]
COUNTS = np.array([200, 150, 60, 12, 10, 8, 6, 4])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """Two methods with two seeds; the test features of the second have moved."""
    out = tmp_path_factory.mktemp("runs")
    for method, shift in (("lora", 0.0), ("full", 2.0)):
        for seed in range(2):
            run = stored_run(out, registry, COUNTS, method=method, seed=seed)
            write_diagnosis(run, diagnosis_of(run, shift=shift, seed=seed))
    return out / "digits_lt" / "clip_tiny"


def test_findings_about_one_method_come_first(cli: Cli, runs: Path) -> None:
    ended = cli("diagnose", str(runs / "full"))
    assert ended.code == 0, ended.err
    lines = ended.out.strip().splitlines()
    assert lines[0] == "full on digits_lt with clip_tiny, seeds 0, 1"
    assert lines[1].startswith("- Train and test features of few-shot classes differ")
    assert "overall" in ended.out
    assert ended.err == ""


def test_differences_of_methods_come_first(cli: Cli, runs: Path) -> None:
    ended = cli("diagnose", str(runs / "lora"), str(runs / "full"))
    assert ended.code == 0, ended.err
    lines = ended.out.strip().splitlines()
    assert lines[0] == "full against lora"
    assert lines[1].startswith("- full has a larger train-test distance than lora on few-shot")
    assert "overall " not in ended.out


def test_json_has_every_row(cli: Cli, runs: Path) -> None:
    found = cli("diagnose", str(runs / "full"), "--against", str(runs / "lora"), "--json").json
    assert [method["name"] for method in found["methods"]] == ["lora", "full"]
    full = found["methods"][1]
    assert (full["encoder"], full["seeds"], len(full["classes"])) == ("run", [0, 1], 8)
    assert len(full["heatmap"]["cosines"]) == 8
    (pair,) = found["pairs"]
    (row,) = [
        row
        for row in pair["differences"]
        if (row["shot_group"], row["measure"]) == ("few", "energy_excess")
    ]
    assert row["difference"] > 0
    assert row["p_value"] < 1


@pytest.mark.full
def test_a_new_page_has_the_figures(cli: Cli, runs: Path) -> None:
    ended = cli("diagnose", str(runs / "lora"), str(runs / "full"), "--html", "new/page.html")
    assert ended.code == 0, ended.err
    assert ended.err == "--html new/page.html: 4 figures\n"
    page = Path("new/page.html").read_text(encoding="utf-8")
    assert page.count("<svg ") == 4
    again = cli("diagnose", str(runs / "full"), "--html", "new/page.html")
    assert (again.code, "new/page.html exists" in again.err) == (2, True)


def test_a_damaged_diagnosis_is_one_clear_error(
    cli: Cli, tmp_path: Path, registry: Registry
) -> None:
    run = stored_run(tmp_path / "runs", registry)
    other = stored_run(tmp_path / "runs", registry, seed=1)
    write_diagnosis(run, diagnosis_of(run))
    path = run.path / Diagnosis.FILE
    whole = path.read_bytes()
    for content, said in (
        (whole[: len(whole) // 2], "is not JSON"),
        (whole.replace(b'"energy_p"', b'"other_p"'), "energy_p"),
        (whole.replace(run.hash.encode(), other.hash.encode()), "is of another run"),
    ):
        path.write_bytes(content)
        ended = cli("diagnose", str(run.path))
        assert (ended.code, ended.out) == (4, "")
        assert said in ended.err
        assert "then diagnose again" in ended.err


def test_without_the_data_a_stored_diagnosis_is_shown_and_none_is_computed(
    cli: Cli, tmp_path: Path, registry: Registry
) -> None:
    tree, path = failing_run(tmp_path, registry)
    tree.rename(tmp_path / "moved")
    ended = cli("diagnose", str(path))
    assert ended.code == 4
    assert "does not exist" in ended.err
    assert "--set dataset.path=PLACE" in ended.err
    assert not (path / Diagnosis.FILE).exists()
    run = RunDirectory(path).finished()
    write_diagnosis(run, diagnosis_of(run))
    assert read_diagnosis(run) is not None
    assert cli("diagnose", str(path)).code == 0


@pytest.mark.full
def test_faults_are_one_clear_error(
    cli: Cli, runs: Path, tmp_path: Path, registry: Registry
) -> None:
    seed = stored_run(tmp_path / "other", registry, method="lora", seed=5, counts=COUNTS)
    counts = stored_run(tmp_path / "other", registry, method="bitfit")
    for run in (seed, counts):
        write_diagnosis(run, diagnosis_of(run))
    full = str(runs / "full")
    for arguments, code, said in (
        (("0123456789ab",), 2, "neither a directory nor the beginning of the hash"),
        ((str(runs),), 2, "differ in more than their seed"),
        ((full, full), 2, "have the same choices"),
        ((full, "--against", full), 2, "have the same choices"),
        ((full, str(seed.path)), 2, "full have no common seed: 5 and 0, 1"),
        ((full, str(counts.path)), 2, "their number of training images differs"),
        ((full, "--html", "."), 2, "exists but is not a file"),
        ((full, "--set", "dataset.path"), 2, "expected KIND.OPTION=VALUE"),
    ):
        ended = cli("diagnose", *arguments)
        assert ended.code == code, ended.err
        assert said in ended.err
        assert ended.out == ""


@pytest.mark.full
def test_what_is_missing_is_computed_once(cli: Cli) -> None:
    assert cli("run", "--limit", "5", "--epochs", "1", "--method", "classifier_only").code == 0
    (path,) = Path("runs/digits_lt/clip_tiny/classifier_only").iterdir()
    first = cli("diagnose", path.name, "--against", "zero_shot")
    assert first.code == 0, first.err
    assert "classifier_only against pretrained" in first.out
    assert "This run is a quick look" in first.out
    assert {each.name for each in path.glob("diagnosis*")} == {
        "diagnosis.json",
        "diagnosis-pretrained.json",
    }
    again = cli("diagnose", str(path), "--against", "pretrained")
    assert (again.out, again.err) == (first.out, "")
    (pair,) = cli("diagnose", str(path), "--against", "pretrained", "--json").json["pairs"]
    excesses = [r for r in pair["differences"] if r["measure"].endswith("_excess")]
    assert all(abs(row["difference"]) < 1e-6 for row in excesses)  # the encoder is frozen
