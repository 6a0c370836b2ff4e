"""Section on accuracy by the learned share of the encoder."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.analysis.leaderboard.share_curves import ShareCurves, share_curves
from ltbench.registry.registry import Registry
from ltbench.report.page.content import Picture, Table, WithInterval
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.sections.learned_share import learned_share_section, rate_sentences
from ltbench.storage.results import find_runs
from tests.runs import spec_of, store


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Ranking:
    """Three numbers of blocks with two rates each, and the head alone."""
    out = tmp_path_factory.mktemp("runs")
    for layers in (1, 2, 3, 0):
        for rate in (0.01, 0.02):
            settings = {"method": "full", "method__layers": layers}
            spec = spec_of(
                registry, **(settings if layers else {"method": "classifier_only"}), train__lr=rate
            )
            skill = 1.0 if rate == 0.02 else 0.0
            store(out, spec, skill=skill, changed={"learned": {"encoder": 100 * layers}})
    (found,) = build_leaderboard(find_runs([out]).cells(), registry).rankings
    return found


@pytest.fixture
def curves(ranking: Ranking) -> ShareCurves:
    found = share_curves(ranking)
    assert found is not None
    return found


def test_a_choice_on_the_test_split_is_said_in_the_caption(ranking: Ranking) -> None:
    section = learned_share_section(ranking, "digits", FigureSet())
    assert section is not None
    picture, table = section.blocks
    assert isinstance(picture, Picture)
    assert "on the test split itself, by overall accuracy" in picture.caption
    assert "optimistic" in picture.caption
    assert "At 0, and as dotted lines: classifier_only." in picture.caption
    assert "full: 10 % learned: overall" in picture.description
    assert "learned share, %" in picture.svg
    assert isinstance(table, Table)
    assert [row[:4] for row in table.rows] == [
        ("full", 10.0, "0.02", "0.01, 0.02"),
        ("full", 20.0, "0.02", "0.01, 0.02"),
        ("full", 30.0, "0.02", "0.01, 0.02"),
        ("classifier_only", 0.0, "0.02", "0.01, 0.02"),
    ]
    assert all(isinstance(value, WithInterval) for row in table.rows for value in row[5:])


def test_a_choice_on_val_is_no_optimism(curves: ShareCurves) -> None:
    on_val = replace(curves, chosen_on="val", criterion="mean_class", optimistic=False)
    first, *_ = rate_sentences(on_val)
    assert "best in mean-class accuracy on the val split" in first
    assert "optimistic" not in first


def test_rates_at_the_end_of_their_range_are_named(curves: ShareCurves) -> None:
    *_, last = rate_sentences(curves)
    assert last.endswith("full (10 %, 20 %, 30 %), classifier_only (0 %).")


def test_without_several_rates_nothing_was_chosen(curves: ShareCurves) -> None:
    assert list(rate_sentences(replace(curves, chosen_on=None))) == [
        "Each share has one learning rate: no rates were compared here."
    ]


def test_without_curves_there_is_no_section(ranking: Ranking) -> None:
    few = replace(ranking, entries=ranking.entries[:2])
    figures = FigureSet()
    assert learned_share_section(few, "digits", figures) is None
    assert len(figures) == 0


def test_an_encoder_without_parameters_has_no_share(ranking: Ranking) -> None:
    changed = []
    for entry in ranking.entries:
        (run,) = entry.cell.runs
        learned = run.learned.model_copy(update={"backbone": 0})
        cell = replace(entry.cell, runs=(run.model_copy(update={"learned": learned}),))
        changed.append(replace(entry, cell=cell))
    assert share_curves(replace(ranking, entries=changed)) is None
