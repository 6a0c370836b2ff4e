"""CSV and JSON files of leaderboards, and their tables for readers."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ltbench.analysis.leaderboard.board import Leaderboard, build_leaderboard
from ltbench.analysis.leaderboard.display_columns import read_columns
from ltbench.analysis.leaderboard.files import to_csv, to_json
from ltbench.analysis.leaderboard.rows import COLUMNS, Row, ranking_rows
from ltbench.analysis.leaderboard.tables import display_table, to_latex, to_markdown
from ltbench.errors import ConfigError
from ltbench.published import PublishedResult
from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs
from tests.runs import NOTHING, spec_of, store

DTYPES = {column.name: column.metadata["dtype"] for column in COLUMNS}
HEADER = (
    "rank,dataset,backbone,method,loss,augmentation,inference,head,init,seeds,accuracy,"
    "accuracy_std,accuracy_ci_low,accuracy_ci_high,mean_class,many,medium,few,ece,"
    "learned_parameters,learned_percent,epochs,train_seconds,images_per_second,peak_memory_mb,"
    "p_value_vs_best,significant,selection,shot_rule,source,spec,claim,"
    "mean_class_std,mean_class_ci_low,mean_class_ci_high,many_std,many_ci_low,many_ci_high,"
    "medium_std,medium_ci_low,medium_ci_high,few_std,few_ci_low,few_ci_high"
)
PAPER = PublishedResult(
    dataset="digits_lt",
    backbone="ResNeXt-50",
    method="A & B_net",
    metrics={"accuracy": 90.5, "few": 80},
    source="Somebody (2020), arXiv:2001.00001",
)


@pytest.fixture
def board(tmp_path: Path, registry: Registry) -> Leaderboard:
    for seed in range(3):
        store(tmp_path, spec_of(registry, method="lora", seed=seed), skill=2.0)
        store(tmp_path, spec_of(registry, method="full", seed=seed), skill=0.0)
    one = {"epochs": 0, "seconds": 0.0, "images_per_second": None, "skipped_images": 0}
    store(
        tmp_path,
        spec_of(registry, method="zero_shot"),
        changed={"training": one, "selection": NOTHING},
    )
    elsewhere = replace(PAPER, dataset="imagenet_lt")
    cells = find_runs([tmp_path]).cells()
    return build_leaderboard(cells, registry, published=[PAPER, elsewhere])


def test_the_columns_are_those_of_the_schema() -> None:
    assert ",".join(column.name for column in COLUMNS) == HEADER


def test_csv_opens_in_pandas_with_the_documented_types(board: Leaderboard) -> None:
    table = pd.read_csv(io.StringIO(to_csv(board.rows())), dtype=DTYPES)
    assert list(table.columns) == HEADER.split(",")
    assert {name: str(dtype).lower() for name, dtype in table.dtypes.items()} == {
        name: {"string": str(pd.StringDtype()).lower()}.get(dtype, dtype.lower())
        for name, dtype in DTYPES.items()
    }
    assert table["rank"].tolist()[:1] == [1]
    measured = table[table["source"] == "measured"]
    assert measured["method"].tolist()[0] == "lora"
    assert measured.set_index("method")["seeds"].to_dict() == {
        "lora": 3,
        "zero_shot": 1,
        "full": 3,
    }
    row = ranking_rows(board.rankings[0])[0]
    assert measured["accuracy"].iloc[0] == pytest.approx(row.accuracy, abs=1e-4)


def test_unknown_is_empty(board: Leaderboard) -> None:
    text = to_csv(board.rows())
    assert "nan" not in text.lower()
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["zero_shot"]["images_per_second"] == ""
    assert rows["zero_shot"]["train_seconds"] == "0.0"
    assert rows["zero_shot"]["accuracy_std"] == ""  # of one seed
    assert rows["lora"]["p_value_vs_best"] == rows["lora"]["significant"] == ""
    assert rows["full"]["significant"] == "true"


def test_rows_of_one_seed_say_that_nothing_is_claimed(board: Leaderboard) -> None:
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO(to_csv(board.rows())))}
    assert rows["full"]["claim"] == rows["lora"]["claim"] == "methods"
    assert rows["zero_shot"]["claim"] == "none: one seed"
    assert rows["zero_shot"]["p_value_vs_best"] == rows["zero_shot"]["significant"] == ""
    assert rows["zero_shot"]["rank"] == "1"  # of the row above it
    assert rows["A & B_net"]["claim"] == ""
    table = display_table(board.rankings[0])
    assert table.texts.columns[-1] == "claim"
    assert table.columns[-1].drop == max(column.drop for column in table.columns)  # as the last
    assert table.texts["claim"][1] == "none: one seed"
    assert table.is_best == (True, False, False)  # nothing is said of zero_shot, not even rank 1
    assert any(
        text.startswith("NO CLAIM about the methods of 1 of 3 rows") for text in table.footnotes
    )


def test_files_of_schema_1_are_the_first_columns_of_schema_3(board: Leaderboard) -> None:
    """Code that reads columns by name or by position keeps working."""
    schema_1 = HEADER.partition(",claim")[0].split(",")
    table = pd.read_csv(io.StringIO(to_csv(board.rows())), dtype=DTYPES)
    assert list(table.columns[: len(schema_1)]) == schema_1
    old = table[schema_1].to_csv(index=False)
    assert list(pd.read_csv(io.StringIO(old), dtype=DTYPES).columns) == schema_1


def test_csv_is_of_rfc_4180(board: Leaderboard) -> None:
    row = Row(dataset='a "b", c', method='d"e', source="measured", spec="")
    lines = to_csv([row]).split("\r\n")
    assert lines[0] == HEADER
    assert lines[1].startswith(',"a ""b"", c",,"d""e",')
    assert lines[2:] == [""]


def test_published_rows_are_marked_sourced_and_of_this_data_set(board: Leaderboard) -> None:
    rows = [row for row in board.rows() if row.source != "measured"]
    assert [row.source for row in rows] == ["published: Somebody (2020), arXiv:2001.00001"]
    (row,) = rows
    assert (row.rank, row.accuracy, row.few, row.many) == (None, 90.5, 80.0, None)
    assert board.rows()[-1] is row


def test_published_rows_follow_the_last_ranking_of_their_data_set(
    tmp_path: Path, registry: Registry
) -> None:
    for inference in ("center", "tte"):
        store(tmp_path, spec_of(registry, inference=inference))
    board = build_leaderboard(find_runs([tmp_path]).cells(), registry, published=[PAPER])
    assert [row.source == "measured" for row in board.rows()] == [True, True, False]


def test_published_rows_of_another_ratio_stay_away(tmp_path: Path, registry: Registry) -> None:
    store(tmp_path, spec_of(registry))
    other = replace(PAPER, settings={"dataset.ratio": 50.0})
    same = replace(PAPER, settings={"dataset.ratio": 20.0})
    board = build_leaderboard(find_runs([tmp_path]).cells(), registry, published=[other, same])
    assert len(board.rows()) == 2


def test_json_has_the_runs_of_each_row(board: Leaderboard) -> None:
    found = json.loads(json.dumps(to_json(board.rankings, [], []), allow_nan=False))
    assert found["schema"] == 3
    (ranking,) = found["rankings"]
    assert ranking["conditions"]["inference"] == "tte"
    assert [run["seed"] for run in ranking["rows"][0]["runs"]] == [0, 1, 2]
    assert list(ranking["rows"][0])[: len(COLUMNS)] == HEADER.split(",")


def test_markdown(board: Leaderboard) -> None:
    text = to_markdown([display_table(board.rankings[0], board.published["digits_lt"])])
    lines = text.splitlines()
    assert lines[0] == "### digits\\_lt: inference tte, last epoch, shot rule exclusive"
    table = [line for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert [cell.strip() for cell in table[2].split("|")[1:3]] == ["1", "lora"]
    assert "A & B\\_net \\*" in table[-1]
    assert "\\* A & B\\_net: published: Somebody (2020), arXiv:2001.00001  " in lines


def test_latex_is_escaped_and_marks_the_best(board: Leaderboard) -> None:
    text = to_latex([display_table(board.rankings[0], board.published["digits_lt"], paper=True)])
    assert text.startswith("% needs \\usepackage{booktabs,threeparttable}\n\\begin{table}")
    assert "\\caption{Accuracy on digits\\_lt in \\%.}\n\\label{tab:digits-lt-tte}" in text
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count(f"\\{rule}") == 1
    rows = {line.split(" & ")[0]: line for line in text.splitlines() if line.endswith("\\\\")}
    assert rows["lora"].count("\\textbf{") == rows["lora"].count("$\\pm$") == 4
    assert "\\textbf" not in rows["A \\& B\\_net *"]  # published rows are not tested
    assert len({line.replace("\\&", "").count("&") for line in rows.values()}) == 1
    assert "\\item Bold: the highest mean of the column." in text


def test_ties_are_those_of_the_tests_of_their_column(tmp_path: Path, registry: Registry) -> None:
    for seed in range(3):
        store(tmp_path, spec_of(registry, method="lora", seed=seed), skill=1.5)
        store(tmp_path, spec_of(registry, method="bitfit", seed=seed), skill=1.5)
        store(tmp_path, spec_of(registry, method="full", seed=seed), skill=0.0)
    store(tmp_path, spec_of(registry, method="zero_shot"), skill=1.4)
    cells = find_runs([tmp_path]).cells()
    by_metric = {
        metric: build_leaderboard(cells, registry, metric=metric).rankings[0]
        for metric in ("accuracy", "few")
    }
    (ranking,) = build_leaderboard(cells, registry, marked=["method", "accuracy", "few"]).rankings
    for metric, alone in by_metric.items():
        marked = {entry.name for entry in ranking.entries if metric in entry.not_worse}
        tied = {e.name for e in alone.entries if e.rank == 1 and e.claim == "methods"}
        assert marked == tied == {"lora", "bitfit"}
    assert all(entry.not_worse <= {"accuracy", "few"} for entry in ranking.entries)
    latex = to_latex([display_table(ranking, paper=True)])
    (tie,) = [line for line in latex.splitlines() if "underline" in line]
    assert tie.split(" & ")[0] in ("lora", "bitfit")
    assert "Underlined: a statistical tie, not significantly worse than the best row" in latex


def test_columns_and_spread_are_chosen(board: Leaderboard) -> None:
    names = read_columns(["method", "epochs", "accuracy", "few"])
    table = display_table(board.rankings[0], columns=names, spread="interval")
    assert list(table.texts.columns) == ["method", "epochs", "overall", "few"]
    row = ranking_rows(board.rankings[0])[0]
    assert table.texts["few"][0] == f"{row.few:.1f} [{row.few_ci_low:.1f}, {row.few_ci_high:.1f}]"
    plain = display_table(board.rankings[0], columns=names, spread="none")
    assert plain.texts["few"][0] == f"{row.few:.1f}"
    each = display_table(board.rankings[0], columns=names, spread="std")
    assert each.texts["few"][0] == f"{row.few:.1f} ± {row.few_std:.1f}"
    assert each.texts["few"][1] == f"{ranking_rows(board.rankings[0])[1].few:.1f}"  # one seed
    every = tuple(column.name for column in COLUMNS)
    assert len(display_table(board.rankings[0], columns=every).columns) == len(every)


@pytest.mark.parametrize("columns", [["few", "fewer"], [""], [], "few", [1]])
def test_unknown_columns_are_refused(columns: Any) -> None:
    with pytest.raises(ConfigError, match="columns: "):
        read_columns(columns)


def test_mean_class_is_shown_where_it_is_another_number(tmp_path: Path, registry: Registry) -> None:
    import numpy as np

    store(tmp_path, spec_of(registry), labels=np.repeat(np.arange(6), [2, 4, 6, 8, 10, 12]))
    board = build_leaderboard(find_runs([tmp_path]).cells(), registry)
    (row,) = board.rows()
    assert row.mean_class is not None
    assert row.accuracy is not None
    differs = abs(row.mean_class - row.accuracy) >= 0.05
    assert ("mean-class" in display_table(board.rankings[0]).texts.columns) == differs
