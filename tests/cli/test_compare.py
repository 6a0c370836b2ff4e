"""`ltbench compare` on stored runs; a few of them really trained, the others drawn."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ltbench.analysis.stats.mcnemar import mcnemar
from ltbench.config.resolve import resolve
from ltbench.metric_names import ACCURACIES
from ltbench.registry.registry import Registry
from ltbench.storage.predictions import Predictions
from tests.conftest import Ended
from tests.runs import COUNTS, spec_of, store

Cli = Callable[..., Ended]
METRICS = ["accuracy", "mean_class", "many", "medium", "few"]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """Three methods with three seeds, one of them far better, and a fourth with one seed."""
    out = tmp_path_factory.mktemp("drawn")
    for seed in range(3):
        store(out, spec_of(registry, method="lift_plus", seed=seed), skill=1.5)
        store(out, spec_of(registry, method="full", seed=seed), skill=0.2)
        store(out, spec_of(registry, method="bitfit", seed=seed), skill=1.5)
    store(out, spec_of(registry, method="zero_shot", seed=1), skill=1.4)
    return out / "digits_lt" / "clip_tiny"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """Two methods with two seeds, trained for an epoch."""
    from ltbench.engine.progress_bar import show_progress
    from ltbench.engine.run import RuntimeConfig, execute

    out = tmp_path_factory.mktemp("trained")
    with show_progress() as progress:
        for method, seed in itertools.product(("classifier_only", "lift_plus"), (0, 1)):
            settings = {"method": method, "seed": seed, "dataset.largest": 20}
            settings |= {"train.epochs": 1, "precision": "fp32", "inference": "center"}
            resolved = resolve(registry, settings, Path("data"))
            execute(resolved, registry, RuntimeConfig(out, "cpu", 0), "never", progress)
    return out / "digits_lt" / "clip_tiny"


def folders(root: Path, *names: str) -> list[str]:
    return [str(root / name) for name in names]


def test_trained_runs_are_compared(cli: Cli, trained: Path) -> None:
    ended = cli("compare", *folders(trained, "lift_plus", "classifier_only"), "--json")
    assert (ended.code, ended.err) == (0, "")
    (pair,) = ended.json["pairs"]
    assert (pair["seeds"], pair["images"]) == ([0, 1], 355)
    for side, method in (("first", "lift_plus"), ("second", "classifier_only")):
        stored = [json.loads((Path(run) / "result.json").read_text()) for run in pair[side]["runs"]]
        assert {result["run"]["method"]["name"] for result in stored} == {method}
        for metric, outcome in pair["outcomes"].items():
            values = [result["metrics"][metric] for result in stored]
            # Of 20 training images at most, no class is many-shot.
            if None in values:
                assert outcome is None
            else:
                assert outcome[side] == pytest.approx(np.mean(values))


def test_the_answer_comes_first_and_the_tests_with_details(cli: Cli, drawn: Path) -> None:
    arguments = ["compare", *folders(drawn, "lift_plus", "full", "bitfit")]
    ended = cli(*arguments)
    assert (ended.code, ended.err) == (0, "")
    _, about, _, answer, head, *rows = ended.out.splitlines()
    assert about == "digits_lt, 120 test images, shot rule exclusive"
    assert answer.startswith("lift_plus is better than full in overall accuracy by ")
    assert head.split()[:4] == ["accuracy,", "%", "lift_plus", "full"]
    assert [row.split()[0] for row in rows[:5]] == [name for name in ACCURACIES.values()]
    assert rows[0].split()[-1] == "lift_plus"
    assert {row.split()[-1] for row in rows[:5]} <= {"lift_plus", "tie"}
    assert "tie: no difference was found between lift_plus and bitfit in any of 4" in ended.out
    for text in ("seeds alone", "test: ", "Wilcoxon", "4 times in 5"):
        assert text not in ended.out
        assert text in cli(*arguments, "--details").out
    assert "--details shows every test" in ended.out


def test_the_words_for_a_difference(cli: Cli, drawn: Path) -> None:
    ended = cli("compare", *folders(drawn, "lift_plus", "full"), "--details")
    assert ended.code == 0, ended.err
    number = r"-?\d+\.\d"
    assert re.search(
        rf"lift_plus is better than full on few-shot classes by {number} points "
        rf"\[{number}, {number}\], p (= 0\.\d+|< 0\.001) \(Holm, 4 comparisons\)",
        ended.out,
    )
    assert "test: hierarchical bootstrap over seeds and images" in ended.out
    assert "3 seeds are too few for Wilcoxon's test" in ended.out
    assert "its smallest possible p is 0.25" in ended.out
    swapped = cli("compare", *folders(drawn, "full", "lift_plus"), "--details").out
    assert "full is worse than lift_plus on few-shot classes" in swapped


def test_the_words_for_no_difference(cli: Cli, drawn: Path) -> None:
    arguments = [*folders(drawn, "lift_plus", "bitfit"), "--metric", "accuracy", "--details"]
    out = cli("compare", *arguments).out
    number = r"-?\d+\.\d"
    assert re.search(
        rf"no difference was found between lift_plus and bitfit in overall accuracy: {number} "
        rf"points \[{number}, {number}\], p = 0\.\d+ \(one comparison\); a true difference of "
        rf"{number} points would be found 4 times in 5 by a single comparison",
        out,
    )


def test_overall_and_mean_class_are_one_comparison_on_a_balanced_test_set(
    cli: Cli, drawn: Path
) -> None:
    found = cli("compare", *folders(drawn, "lift_plus", "full"), "--json").json
    outcomes = found["pairs"][0]["outcomes"]
    assert found["comparisons"] == 4
    assert outcomes["mean_class"]["same_as"] == "accuracy"
    assert outcomes["mean_class"]["corrected_p"] == outcomes["accuracy"]["corrected_p"]
    assert list(outcomes) == METRICS


def test_one_seed_is_compared_on_its_images(cli: Cli, drawn: Path) -> None:
    arguments = folders(drawn, "lift_plus", "zero_shot")
    found = cli("compare", *arguments, "--json").json["pairs"][0]
    assert found["seeds"] == [1]
    overall = found["outcomes"]["accuracy"]
    counts = overall["evidence"]["on_images"]["mcnemar"]
    assert overall["evidence"]["test"] == "randomisation test on the images, exact"
    assert overall["evidence"]["across_seeds"] is None
    expected = mcnemar(counts["only_first"], counts["only_second"])
    assert overall["evidence"]["p"] == pytest.approx(expected.p)
    difference = 100 * (counts["only_first"] - counts["only_second"]) / found["images"]
    assert overall["evidence"]["difference"] == pytest.approx(difference)
    out = cli("compare", *arguments).out
    assert "holds for these two trained models, not for other seeds" in out
    assert "lift_plus also has seeds 0, 2, not used" in out


def test_all_pairs_are_corrected_together(cli: Cli, drawn: Path) -> None:
    arguments = [*folders(drawn, "lift_plus", "full", "bitfit"), "--metric", "few", "--json"]
    against_first = cli("compare", *arguments).json
    assert (len(against_first["pairs"]), against_first["comparisons"]) == (2, 2)
    every = cli("compare", *arguments, "--all-pairs").json
    assert (len(every["pairs"]), every["comparisons"]) == (3, 3)
    plain = [pair["outcomes"]["few"]["evidence"]["p"] for pair in every["pairs"]]
    corrected = [pair["outcomes"]["few"]["corrected_p"] for pair in every["pairs"]]
    assert min(corrected) == pytest.approx(3 * min(plain))
    uncorrected = cli("compare", *arguments, "--all-pairs", "--correction", "none").json["pairs"]
    assert [pair["outcomes"]["few"]["corrected_p"] for pair in uncorrected] == plain


def test_a_region_of_equivalence_adds_the_bayesian_test(cli: Cli, drawn: Path) -> None:
    arguments = [*folders(drawn, "lift_plus", "full"), "--metric", "accuracy", "--rope", "1"]
    out = cli("compare", *arguments).out
    assert "lift_plus is better by more than 1 points with probability" in out
    found = cli("compare", *arguments, "--json").json["pairs"][0]["outcomes"]["accuracy"]
    assert sum(found["evidence"]["across_seeds"]["posterior"].values()) == pytest.approx(1)
    assert cli("compare", *arguments[:-1], "0").code == 2


def test_an_empty_shot_group_has_no_classes(cli: Cli, tmp_path: Path, registry: Registry) -> None:
    for method in ("lift_plus", "full"):
        for seed in (0, 1):
            spec = spec_of(registry, method=method, seed=seed)
            store(tmp_path, spec, counts=np.array([90, 40, 10]))
    arguments = folders(tmp_path / "digits_lt/clip_tiny", "lift_plus", "full")
    out = cli("compare", *arguments).out
    assert "no classes" in out
    assert cli("compare", *arguments, "--json").json["pairs"][0]["outcomes"]["many"] is None
    only = cli("compare", *arguments, "--metric", "many")
    assert (only.code, "no classes with test images" in only.out) == (0, True)


def test_tables_for_papers_and_spreadsheets(cli: Cli, drawn: Path, tmp_path: Path) -> None:
    arguments = ["compare", *folders(drawn, "lift_plus", "full", "zero_shot"), "--metric", "few"]
    file = tmp_path / "new" / "comparison.csv"
    ended = cli(*arguments, "--csv", str(file), "--markdown")
    assert (ended.code, ended.err) == (0, f"{file}: 2 rows\n")
    assert ended.out.count("### lift\\_plus against ") == 2
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode())))
    assert [(row["first"], row["second"]) for row in rows] == [
        ("lift_plus", "full"),
        ("lift_plus", "zero_shot"),
    ]
    pairs = cli(*arguments, "--json").json["pairs"]
    for row, pair in zip(rows, pairs, strict=True):
        outcome = pair["outcomes"]["few"]
        assert float(row["p_value_corrected"]) == outcome["corrected_p"]
        assert float(row["ci_low"]) == outcome["evidence"]["low"]
    latex = cli(*arguments, "--latex").out
    assert latex.startswith("% needs \\usepackage{booktabs,threeparttable}\n")
    assert len(set(re.findall(r"\\label\{tab:lift-plus-[a-z-]+\}", latex))) == 2
    assert (latex.count("usepackage"), latex.count(r"\begin{tabular}{lrrrrrr}")) == (1, 2)


def test_one_format_is_printed(cli: Cli, drawn: Path, tmp_path: Path) -> None:
    arguments = ["compare", *folders(drawn, "lift_plus", "full")]
    both = cli(*arguments, "--markdown", "--json")
    assert (both.code, "choose one of them" in both.err) == (2, True)
    folder = cli(*arguments, "--csv", str(tmp_path))
    assert (folder.code, "exists but is not a file" in folder.err) == (2, True)


def test_folders_of_several_choices_are_refused(cli: Cli, drawn: Path, registry: Registry) -> None:
    ended = cli("compare", str(drawn), str(drawn / "full"))
    assert (ended.code, ended.out) == (2, "")
    assert "differ in more than their seed: method bitfit | full" in ended.err
    assert ended.err.count("  - ") == 4


def test_what_cannot_be_compared(cli: Cli, drawn: Path, tmp_path: Path) -> None:
    one = str(drawn / "full")
    for arguments, code, said in (
        ([one], 2, "at least two paths"),
        ([one, one], 2, "have the same choices"),
        ([one, str(tmp_path / "nothing")], 2, "does not exist"),
        ([one, str(tmp_path)], 4, "no finished run"),
    ):
        ended = cli("compare", *arguments)
        assert (ended.code, ended.out) == (code, "")
        assert said in ended.err


@pytest.mark.parametrize(
    ("settings", "stored", "said"),
    [
        ({"dataset": "glyphs_lt"}, {}, "data set: digits_lt | glyphs_lt"),
        ({"dataset__ratio": 7.0}, {}, "options of the data set"),
        ({"split": "val"}, {}, "split: test | val"),
        ({}, {"counts": COUNTS[::-1]}, "training images of the classes"),
        ({}, {"labels": np.repeat(np.arange(6), 19)}, "test images: 120 | 114"),
        ({}, {"labels": np.repeat(np.arange(6)[::-1], 20)}, "labels of the test images"),
    ],
)
def test_other_test_images_are_refused(
    cli: Cli,
    drawn: Path,
    tmp_path: Path,
    registry: Registry,
    settings: dict[str, object],
    stored: dict[str, object],
    said: str,
) -> None:
    other = store(tmp_path, spec_of(registry, method="full", **settings), **stored)
    ended = cli("compare", str(drawn / "lift_plus"), str(other))
    assert (ended.code, ended.out) == (2, "")
    assert "not tested on the same images" in ended.err
    assert said in ended.err


def test_another_identity_of_the_data_is_refused(
    cli: Cli, drawn: Path, tmp_path: Path, registry: Registry
) -> None:
    spec = spec_of(registry, method="full")
    other = store(tmp_path, replace(spec, dataset=replace(spec.dataset, identity="sha256:0")))
    ended = cli("compare", str(drawn / "lift_plus"), str(other))
    assert (ended.code, "identity of the data set" in ended.err) == (2, True)


def test_seeds_without_intersection_are_refused(
    cli: Cli, drawn: Path, tmp_path: Path, registry: Registry
) -> None:
    other = store(tmp_path, spec_of(registry, method="full", seed=9))
    ended = cli("compare", str(drawn / "lift_plus"), str(other))
    assert (ended.code, "no seed in common" in ended.err) == (2, True)


def test_other_rules_are_said(cli: Cli, drawn: Path, tmp_path: Path, registry: Registry) -> None:
    for seed in (0, 1):
        spec = spec_of(
            registry,
            method="full",
            seed=seed,
            select="val",
            inference="center",
            data_seed=5,
            loss="ce",
            train__lr=0.5,
        )
        store(tmp_path, spec)
    out = cli("compare", str(drawn / "lift_plus"), str(tmp_path)).out
    for said in (
        "the selection rules differ: lift_plus uses the weights after the last epoch, full uses",
        "the inferences differ: lift_plus was tested with tte, full was tested with center",
        "trained on different images: data_seed 0 and 5",
        "apart from the method, the cells differ in",
        "loss logit_adjusted | ce",
    ):
        assert said in out


def test_cells_of_one_method_have_different_names(
    cli: Cli, drawn: Path, tmp_path: Path, registry: Registry
) -> None:
    for seed in (0, 1):
        store(tmp_path, spec_of(registry, method="lift_plus", seed=seed, loss="ce"))
    found = cli("compare", str(drawn / "lift_plus"), str(tmp_path), "--json").json["pairs"][0]
    assert found["first"]["name"] == "lift_plus (loss=logit_adjusted)"
    assert found["second"]["name"] == "lift_plus (loss=ce)"


def test_other_views_must_have_been_stored(cli: Cli, drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn, tmp_path / "runs")
    arguments = ["compare", *folders(tmp_path / "runs", "lift_plus", "full")]
    missing = cli(*arguments, "--inference", "ten_crop")
    assert (missing.code, "no predictions with inference 'ten_crop'" in missing.err) == (4, True)
    assert "ltbench eval" in missing.err
    for path in (tmp_path / "runs").rglob("predictions-tte.parquet"):
        views = Predictions.read(path)
        about = {**views.about, "inference": "ten_crop"}
        views.write(path.with_name("predictions-ten_crop.parquet"), about)
    found = cli(*arguments, "--inference", "ten_crop", "--json").json["pairs"][0]
    assert found["first"]["inference"] == "ten_crop"


def test_broken_runs_are_skipped_or_end_strictly(cli: Cli, drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn, tmp_path / "runs")
    broken = sorted((tmp_path / "runs" / "full").iterdir())[0]
    (broken / "result.json").write_text("{")
    arguments = ["compare", *folders(tmp_path / "runs", "lift_plus", "full"), "--json"]
    lenient = cli(*arguments)
    assert lenient.code == 0
    assert f"skipped {broken}" in lenient.err
    assert lenient.json["skipped"][0]["path"] == str(broken)
    assert len(lenient.json["pairs"][0]["seeds"]) == 2
    strict = cli(*arguments, "--strict")
    assert (strict.code, "1 run directory was skipped" in strict.err) == (1, True)
    assert strict.json == lenient.json


def test_broken_predictions_are_an_error(cli: Cli, drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn, tmp_path / "runs")
    next((tmp_path / "runs" / "full").rglob("*.parquet")).write_bytes(b"PAR1")
    ended = cli("compare", *folders(tmp_path / "runs", "lift_plus", "full"))
    assert (ended.code, "cannot be read" in ended.err) == (4, True)


@pytest.fixture
def many_sets(tmp_path: Path, registry: Registry) -> Path:
    """Three methods on six variants of a data set, and one method on a seventh."""
    for largest in range(40, 46):
        for method, skill in (("lift_plus", 1.5), ("bitfit", 0.9), ("full", 0.2)):
            for seed in (0, 1):
                settings = {"dataset__largest": largest, "method": method, "seed": seed}
                store(tmp_path / "sets", spec_of(registry, **settings), skill=skill)
    store(tmp_path / "sets", spec_of(registry, dataset__largest=99))
    return tmp_path / "sets"


def test_methods_are_ranked_across_data_sets(cli: Cli, many_sets: Path) -> None:
    arguments = ["compare", str(many_sets), "--across-datasets", "--metric", "few"]
    (found,) = cli(*arguments, "--rope", "1", "--json").json["across_datasets"]
    ranks = dict(zip(found["methods"], found["average_ranks"], strict=True))
    assert ranks == {"lift_plus": 1, "bitfit": 2, "full": 3}
    assert len(found["datasets"]) == 6
    assert found["left_out"] == ["digits_lt (largest=99, ratio=20.0)"]
    assert found["critical_difference"] == pytest.approx(2.343 * np.sqrt(3 * 4 / 36), abs=0.001)
    assert found["friedman"]["p"] == pytest.approx(np.exp(-6))  # chi-squared 12 with 2 degrees
    bayesian = "lift_plus better 1.00, equivalent 0.00, bitfit better 0.00 (Bayesian signed-rank)"
    assert bayesian in cli(*arguments, "--rope", "1").out
    brief = cli(*arguments).out
    assert "lift_plus has the best average rank in few-shot accuracy, 1.00 of 3" in brief
    assert "tie with bitfit (Nemenyi)" in brief
    assert "Friedman" not in brief
    out = cli(*arguments, "--details").out
    assert "average ranks that differ by 1.35 or more differ significantly (95 %)" in out
    assert "not distinguished: lift_plus, bitfit" in out
    assert "the smallest possible p value is 0.09375" in out
    assert "left out, because a method has no run on it" in out
    file = many_sets.parent / "across.csv"
    markdown = cli(*arguments, "--markdown", "--csv", str(file)).out
    assert "| average rank " in markdown
    assert "not distinguished: lift\\_plus, bitfit  " in markdown
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode())))
    ordered = [(row["first"], row["second"], float(row["first_rank"])) for row in rows]
    assert ordered == [("lift_plus", "bitfit", 1), ("lift_plus", "full", 1), ("bitfit", "full", 2)]
    assert {row["wilcoxon_p_value_corrected"] for row in rows} == {"0.09375"}
    latex = cli(*arguments, "--latex").out
    assert "average rank & \\textbf{1.00} & \\underline{2.00} & 3.00" in latex


def test_across_data_sets_needs_some(cli: Cli, drawn: Path) -> None:
    one = cli("compare", str(drawn), "--across-datasets")
    assert (one.code, "two data sets" in one.err) == (2, True)
    arguments = ["compare", str(drawn), "--across-datasets", "--inference", "center"]
    assert cli(*arguments).code == 2
