from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from ltbench.analysis.stats.multiplicity import correct_p_values

P = [0.01, 0.04, 0.03, 0.005, 0.5, 0.9, 0.03]


@pytest.mark.parametrize(("ours", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_corrections_equal_statsmodels(ours: str, theirs: str) -> None:
    np.testing.assert_allclose(correct_p_values(P, ours), multipletests(P, method=theirs)[1])


def test_nothing_to_correct() -> None:
    assert correct_p_values(P, "none").tolist() == P
    assert correct_p_values([0.03], "holm").tolist() == [0.03]
    assert len(correct_p_values([], "holm")) == 0


def test_error_rates_over_all_comparisons() -> None:
    """Of ten true nulls one is found in 5 % of the cases; uncorrected in 40 %."""
    p = np.random.default_rng(0).random((2000, 10))

    def any_found(how: str) -> float:
        return float(np.mean([(correct_p_values(row, how) < 0.05).any() for row in p]))

    assert 0.035 <= any_found("holm") <= 0.065
    assert 0.035 <= any_found("bh") <= 0.065
    assert any_found("none") > 0.35
