"""Options of a comparison, and the sentences that depend on them."""

from __future__ import annotations

from dataclasses import dataclass

from ltbench.analysis.comparison.pairs import PairComparison
from ltbench.analysis.comparison.summary_text import comparison_sentence, rope_sentence
from ltbench.analysis.stats.multiplicity import Correction


@dataclass(frozen=True)
class CompareOptions:
    """Options of a comparison.

    Args:
        correction: Correction of p values.
        comparisons: Number of comparisons that p values are corrected for.
        level: Confidence level of intervals and tests, 0 to 1.
        rope: Half width of the region of practical equivalence in percent points, or None.
    """

    correction: Correction
    comparisons: int
    level: float
    rope: float | None

    def sentence(self, pair: PairComparison, metric: str) -> str:
        """Returns the finding about one accuracy of a pair as a sentence."""
        return comparison_sentence(pair, metric, self.correction, self.comparisons, self.level)

    def sentences(self, pair: PairComparison) -> list[str]:
        """Returns the findings about a pair as sentences."""
        sentences = [self.sentence(pair, metric) for metric in pair.outcomes]
        if self.rope is not None:
            outcomes = [outcome for outcome in pair.outcomes.values() if outcome is not None]
            bayesian = [rope_sentence(pair, outcome, self.rope) for outcome in outcomes]
            sentences += [text for text in bayesian if text is not None]
        return sentences
