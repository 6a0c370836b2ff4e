from __future__ import annotations

from pathlib import Path

from ltbench.config.run_command import run_command
from ltbench.config.text import Text
from ltbench.tuning.study import Study
from ltbench.tuning.summary import best_settings, summarise
from tests.tuning.records import study_record, trial


def test_a_summary_counts_what_a_search_cost() -> None:
    trials = [
        trial(0, {"train.lr": 0.02, "method.dim": None}, value=60.0, scores=[50, 60, 55, 50]),
        trial(1, {"train.lr": 0.099, "method.dim": 4}, value=70.0, scores=[50, 60, 70, 60]),
        trial(2, value=None, scores=[10.0]),
        trial(3, value=None, state="failed"),
    ]
    (summary,) = summarise(Study(Path(), study_record(budget=4), trials))
    assert [summary.count(state) for state in ("done", "pruned", "failed")] == [2, 1, 1]
    assert (summary.epochs, summary.planned_epochs, summary.seconds) == (9, 16, 6.0)
    assert (summary.untuned, summary.best) == (trials[0], trials[1])
    assert summary.edges == ("train.lr",)
    (empty,) = summarise(Study(Path(), study_record()))
    assert (empty.best, empty.untuned, empty.edges, empty.seconds) == (None, None, (), 0)


def test_the_command_has_the_settings_of_the_best() -> None:
    study = Study(Path(), study_record())
    base = {"dataset": Text("digits_lt"), "seed": Text("3"), "split": Text("val")}
    best = trial(0, {"train.lr": 0.0124, "method.dim": None})
    settings = best_settings(study, {**base, "loss.tau": Text("2")}, "lift_plus", best)
    assert run_command(settings, {"--out": "a b"}) == (
        "ltbench run --method lift_plus --dataset digits_lt --set loss.tau=2 --select val "
        "--lr 0.0124 --set method.dim=none --out 'a b'"
    )
