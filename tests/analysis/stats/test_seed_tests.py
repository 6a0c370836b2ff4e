from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test, ttest_rel, wilcoxon

from ltbench.analysis.stats.effect_sizes import cohens_dz, odds_ratio, rank_biserial
from ltbench.analysis.stats.seed_tests import min_signed_rank_p, paired_t, signed_rank

FIRST = np.array([81.2, 80.1, 82.4, 79.9, 81.0, 83.1])
SECOND = np.array([80.0, 80.4, 80.9, 78.0, 80.2, 81.5])


def test_paired_t_equals_scipy() -> None:
    found, expected = paired_t(FIRST - SECOND), ttest_rel(FIRST, SECOND)
    assert (found.t, found.p) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))
    assert (found.freedom, found.mean) == (5, pytest.approx((FIRST - SECOND).mean()))


def test_equal_differences_have_no_spread_to_be_set_against() -> None:
    found = paired_t(np.array([0.3, 0.1 + 0.2, 0.3]))
    assert (found.t, found.p, found.deviation) == (None, None, 0)
    assert paired_t(np.zeros(3)).p == 1
    with pytest.raises(ValueError, match="two differences"):
        paired_t(np.array([1.0]))


def test_signed_rank_equals_scipy() -> None:
    found, expected = signed_rank(FIRST - SECOND), wilcoxon(FIRST, SECOND, method="exact")
    assert (found.statistic, found.p) == (expected.statistic, pytest.approx(expected.pvalue))


def test_ties_and_zeros_equal_all_permutations() -> None:
    differences = np.array([1.0, 1.0, -1.0, 2.0, 3.0, 3.0, 0.0, 2.0])

    def statistic(d: np.ndarray) -> float:
        from scipy.stats import rankdata

        ranks = rankdata(np.abs(d))
        return float((ranks * np.sign(d)).sum())

    kept = differences[differences != 0]
    expected = permutation_test(
        (kept,), statistic, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    found = signed_rank(differences)
    assert (found.p, found.used) == (pytest.approx(expected), 7)
    assert signed_rank(np.zeros(4)).p == 1


def test_too_few_seeds_cannot_reach_the_level() -> None:
    five, six = signed_rank(np.arange(1.0, 6)), signed_rank(np.arange(1.0, 7))
    assert (five.p, six.p) == (min_signed_rank_p(5), min_signed_rank_p(6)) == (0.0625, 0.03125)


def test_many_tied_differences_are_approximated() -> None:
    differences = np.repeat([1.0, 2.0, -1.0], [20, 20, 10])
    expected = wilcoxon(differences, method="approx").pvalue
    assert signed_rank(differences).p == pytest.approx(expected)


@pytest.mark.full
def test_false_positives_and_power_across_seeds() -> None:
    random = np.random.default_rng(0)
    null, better = random.normal(size=(2000, 8)), random.normal(1.5, 1, size=(200, 8))
    for test, highest in ((paired_t, 0.065), (signed_rank, 0.055)):  # Wilcoxon: 10 / 256
        found = np.mean([test(row).p < 0.05 for row in null])
        assert 0.035 - 0.01 <= found <= highest
        assert np.mean([test(row).p < 0.05 for row in better]) > 0.8


def test_effect_sizes_by_hand() -> None:
    differences = np.array([1.0, 2.0, 3.0, -2.0])
    assert cohens_dz(differences) == pytest.approx(1 / np.std(differences, ddof=1))
    assert cohens_dz(np.array([2.0, 2.0])) is None
    # Ranks 1, 2.5, 4 for the first and 2.5 for the second.
    assert rank_biserial(differences) == pytest.approx((7.5 - 2.5) / 10)
    assert rank_biserial(np.zeros(3)) == 0


def test_odds_ratio_and_its_exact_interval() -> None:
    from statsmodels.stats.proportion import proportion_confint

    found = odds_ratio(15, 5)
    low, high = proportion_confint(15, 20, method="beta")
    assert found.ratio == pytest.approx(3)
    assert (found.low, found.high) == pytest.approx((low / (1 - low), high / (1 - high)))
    assert odds_ratio(4, 0).ratio == np.inf
    assert odds_ratio(0, 4).low == 0
    assert odds_ratio(0, 0).ratio is None
