"""Comparisons of cells in Python."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ltbench.analysis.comparison.comparison import (
    Comparison,
    compare_cells,
    comparisons_csv,
    comparisons_frame,
)
from ltbench.analysis.comparison.comparison_rows import COMPARISON_COLUMNS
from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry
from ltbench.storage.results import Cell, find_runs
from tests.conftest import Ended
from tests.runs import UNTRAINED, spec_of, store

DTYPES = {column.name: column.metadata["dtype"] for column in COMPARISON_COLUMNS}
RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"
COMMITTED = RESULTS / "digits" / "runs" / "digits_lt" / "clip_tiny"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """Three methods with three seeds, three and one."""
    out = tmp_path_factory.mktemp("runs")
    for seed in range(3):
        store(out, spec_of(registry, method="lora", seed=seed), skill=1.5)
        store(out, spec_of(registry, method="full", seed=seed), skill=0.2)
    store(out, spec_of(registry, method="zero_shot", seed=1), skill=1.4)
    return out / "digits_lt" / "clip_tiny"


def cell(folder: Path, method: str) -> Cell:
    (found,) = find_runs([folder / method]).cells()
    return found


@pytest.fixture(scope="module")
def found(folder: Path) -> Comparison:
    return Comparison.of(cell(folder, "lora"), cell(folder, "full"), metric="few")


def test_the_numbers_are_those_of_the_command(
    cli: Callable[..., Ended], folder: Path, found: Comparison
) -> None:
    arguments = ["compare", str(folder / "lora"), str(folder / "full"), "--metric", "few"]
    (pair,) = cli(*arguments, "--json").json["pairs"]
    outcome = pair["outcomes"]["few"]
    evidence = outcome["evidence"]
    assert found.sentence in cli(*arguments).out
    assert [found.sentence] == found.sentences == pair["sentences"]
    assert found.notes == pair["notes"]
    assert (found.difference, found.p) == (evidence["difference"], outcome["corrected_p"])
    assert found.interval == (evidence["low"], evidence["high"])
    assert (found.first, found.second) == ("lora", "full")
    (row,) = found.to_frame().to_dict("records")
    expected = {
        "first_accuracy": outcome["first"],
        "second_accuracy": outcome["second"],
        "ci_low": evidence["low"],
        "p_value": evidence["p"],
        "p_value_corrected": outcome["corrected_p"],
        "detectable": evidence["detectable"],
        "seed_std": evidence["across_seeds"]["t"]["deviation"],
        "wilcoxon_p_value": evidence["across_seeds"]["wilcoxon"]["p"],
        "images": pair["images"],
        "significant": True,
    }
    assert {name: row[name] for name in expected} == expected


def test_a_method_without_seeds_is_compared_with_every_seed(
    registry: Registry, folder: Path, tmp_path: Path
) -> None:
    for seed in range(2):
        spec = spec_of(registry, method="zero_shot", seed=seed)
        store(tmp_path, spec, skill=0.2, changed=UNTRAINED, noise_seed=0)
    single = find_runs([tmp_path]).cells()[0]
    found = Comparison.of(cell(folder, "lora"), single)
    assert found.pair.seeds == (0, 1, 2)
    assert found.pair.generalises
    assert found.p is not None
    assert found.p < 0.05
    assert "no seed changes zero_shot: it has one run, without variance of seeds" in found.notes
    assert not any("common seed" in note or "not used" in note for note in found.notes)
    evidence = found.pair.outcomes["accuracy"]
    assert evidence is not None
    assert evidence.second == single.mean("accuracy")
    other = find_runs([store(tmp_path / "b", spec_of(registry, method="zero_shot", loss="ce"),
                             changed=UNTRAINED)]).cells()[0]  # fmt: skip
    both = Comparison.of(single, other)
    assert both.pair.generalises
    assert "seed" not in both.sentence
    one_seed = replace(cell(folder, "lora"), runs=cell(folder, "lora").runs[:1])
    alone = Comparison.of(single, one_seed)
    assert "with seed 0" in alone.sentence
    assert "zero_shot with" not in alone.sentence
    assert any("holds for this trained model of lora" in note for note in alone.notes)


def test_quick_looks_are_refused(registry: Registry, folder: Path, tmp_path: Path) -> None:
    quick = find_runs([store(tmp_path, spec_of(registry, method="lora", limit=5))]).cells()[0]
    with pytest.raises(ConfigError, match=r"is a quick look \(limit=5\): its numbers are not comp"):
        Comparison.of(cell(folder, "full"), quick)


def test_the_headline_of_all_accuracies_is_the_overall_one(folder: Path) -> None:
    found = Comparison.of(cell(folder, "lora"), cell(folder, "full"))
    assert found.metric == "accuracy"
    assert "in overall accuracy" in found.sentence
    assert found.sentence == found.sentences[0]
    assert len(found.sentences) == len(found.to_frame()) == 5
    assert str(found) == "\n".join(found.sentences)
    assert repr(found) == f"<Comparison: {found.sentence}>"


def test_several_cells_are_corrected_together(folder: Path) -> None:
    cells = [cell(folder, method) for method in ("lora", "full", "zero_shot")]
    first = compare_cells(cells, metric="few")
    assert [(each.first, each.second) for each in first] == [
        ("lora", "full"),
        ("lora", "zero_shot"),
    ]
    every = comparisons_frame(compare_cells(cells, metric="few", all_pairs=True))
    assert every["comparisons"].tolist() == [3, 3, 3]
    assert every["seeds"].tolist() == [3, 1, 1]
    assert every["p_value_corrected"].min() == pytest.approx(3 * every["p_value"].min())
    # McNemar's counts are of one seed, the tests on seeds of several.
    assert every["only_first_right"].isna().tolist() == [True, False, False]
    assert every["t_p_value"].isna().tolist() == [False, True, True]


def test_a_frame_has_the_documented_types_and_is_exact_in_csv(folder: Path) -> None:
    cells = [cell(folder, method) for method in ("lora", "full", "zero_shot")]
    found = compare_cells(cells, rope=1.0)
    frame = comparisons_frame(found)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    text = comparisons_csv(found)
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text), dtype=DTYPES), frame, rtol=1e-12)
    written = [float(row["difference"]) for row in csv.DictReader(io.StringIO(text))]
    assert written == frame["difference"].tolist()
    assert frame[["first_better", "equivalent", "second_better"]].sum(axis=1)[0] == pytest.approx(1)
    assert comparisons_csv([]).split("\r\n") == [",".join(DTYPES), ""]


def test_a_group_without_classes_has_no_numbers(tmp_path: Path, registry: Registry) -> None:
    for method in ("lora", "full"):
        store(tmp_path, spec_of(registry, method=method), counts=np.array([90, 40, 10]))
    cells = find_runs([tmp_path]).cells()
    found = Comparison.of(*cells, metric="many")
    assert (found.difference, found.interval, found.p) == (None, None, None)
    assert "no classes with test images" in found.sentence
    assert found.to_frame()["classes"].tolist() == [0]
    assert "no classes" in found.to_markdown()
    assert "no classes" in found.to_latex()
    assert "no classes" in found._repr_html_()


def test_markdown_latex_and_html(found: Comparison) -> None:
    lines = found.to_markdown().splitlines()
    assert lines[0].startswith("### lora against full: digits\\_lt, 120 test images")
    assert len([line for line in lines if line.startswith("|")]) == 3
    assert any(line.startswith("lora is better than full on few-shot classes") for line in lines)
    latex = found.to_latex()
    assert latex.startswith("% needs \\usepackage{booktabs,threeparttable}\n\\begin{table}")
    assert r"\item Bold: the higher accuracy." in latex
    assert r"few-shot & \textbf{" in latex
    html = found._repr_html_()
    assert "<td>few-shot</td>" in html
    assert "&gt;" not in html
    assert "3 seeds are too few for Wilcoxon&#x27;s test" in html


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"metric": "fwe"}, "metric: expected one of all, accuracy, .*, got 'fwe'"),
        ({"correction": "bonferroni"}, "correction: expected one of holm, bh, none"),
        ({"metric": np.zeros(2)}, "metric: expected one of all"),
        ({"level": 95}, "level: expected 0.5 to 0.9999, got 95"),
        ({"level": float("nan")}, "level: expected"),
        ({"rope": 0}, "rope: expected more than 0 percent points, got 0"),
        ({"rope": "1"}, "rope: expected more than 0"),
    ],
)
def test_wrong_arguments_are_refused(folder: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Comparison.of(cell(folder, "lora"), cell(folder, "full"), **arguments)


def test_cells_that_cannot_be_compared_are_refused(folder: Path) -> None:
    one = cell(folder, "lora")
    with pytest.raises(ConfigError, match="have the same choices"):
        Comparison.of(one, one)
    with pytest.raises(ConfigError, match="expected two cells or more, got 1"):
        compare_cells([one])


def test_names_of_others_are_no_markup(tmp_path: Path, registry: Registry) -> None:
    """Settings are part of the names of cells with the same method."""
    for template in ("<b>{}</b>", "=a|{}"):
        spec = spec_of(registry, init="semantic", init__template=template)
        store(tmp_path, spec)
    found = Comparison.of(*find_runs([tmp_path]).cells(), metric="accuracy")
    assert "<b>" in found.first + found.second
    assert "<b>{" not in found._repr_html_()
    assert "\\<b\\>" in found.to_markdown()
    assert "\\textless{}b\\textgreater{}" in found.to_latex()
    assert json.dumps(found.to_frame()["first"].tolist())


def test_a_tie_with_an_interval_without_zero_is_explained() -> None:
    pair = [cell(COMMITTED, name) for name in ("lift_plus", "zero_shot")]
    note = "an interval is that of a single comparison: for many-shot and few-shot accuracy it"
    assert any(said.startswith(note) for said in Comparison.of(*pair).notes)
    uncorrected = Comparison.of(*pair, correction="none").notes
    assert not any(said.startswith(note) for said in uncorrected)
