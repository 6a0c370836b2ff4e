"""Coverage, errors and power in docs/statistics.md equal those of simulations."""

from __future__ import annotations

import pytest

from tests.analysis.stats import tables
from tests.analysis.stats.tables import Board


def test_equal_methods_rarely_differ_significantly() -> None:
    """Eight rows of three seeds, between which Holm with the best finds too many differences."""
    boards, _ = tables.told_apart(Board(), 8, 3, 200)
    assert boards <= 8


def test_a_better_method_is_significantly_better() -> None:
    _, share = tables.told_apart(Board(best=1.0), 8, 5, 20)
    assert share > 80


def test_the_docs_have_all_rows() -> None:
    assert [row[0] for row in tables.in_docs("coverage")] == list(tables.SHAPES)
    assert [(int(row[0]), int(row[1])) for row in tables.in_docs("power")] == tables.SIZES
    assert len(tables.in_docs("errors")) == 3 + len(tables.SIZES)


def agree(name: str, allowed: float) -> list[list[float]]:
    """Compares a table with the docs, and returns its numbers without the text."""
    rows = [[each for each in row if not isinstance(each, str)] for row in tables.TABLES[name][1]()]
    for stored, row in zip(tables.in_docs(name), rows, strict=True):
        known = [each for each in stored if each != "-"]
        numbers = [float(each) for each in known[len(known) - len(row) :]]
        assert numbers == pytest.approx(row, abs=allowed)
    return rows


@pytest.mark.slow
def test_coverage_is_as_documented() -> None:
    """Monte Carlo error: 0.7; of ImageNet-LT's shape 1.4."""
    for _, overall, _, few in agree("coverage", 3):
        assert min(overall, few) >= 92


@pytest.mark.slow
def test_errors_are_as_documented() -> None:
    """Monte Carlo error of 5 %: 0.9. An unstable method among two has more errors."""
    heads = tables.TABLES["errors"][0][2:]
    for row in agree("errors", 4):
        for head, share in zip(heads[1:], row[1:], strict=False):
            assert share <= (10 if head == "one method unstable" else 7)


@pytest.mark.slow
def test_power_is_as_documented() -> None:
    """Monte Carlo error: 5."""
    for holm_small, small, holm_large, large in agree("power", 12):
        assert small >= holm_small - 12
        assert large >= holm_large - 12
