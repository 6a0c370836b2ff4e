"""Consequences of inconsistent features: accuracies, and the classes that wrong images go to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.diagnosis.class_bootstrap import ClassBootstrap
from ltbench.storage.diagnosis_schema import ClassMean

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class WrongImages:
    """Wrong predictions of test images, summed over each class.

    Args:
        tested: (K,) test images of each class.
        wrong: (K,) of them, those with a wrong prediction.
        to_head: (K,) of these, those predicted as a many-shot class.
        to_head_chance: (K,) their expected number, if wrong images went to any other class alike.
        ratios: (K,) sum over the wrong images of log(n_predicted / n_true).
        ratios_chance: (K,) its expectation, if wrong images went to any other class alike.
        rated: (K,) number of wrong images in both sums: the true and the predicted class have
            training images.
    """

    tested: Ints
    wrong: Ints
    to_head: Ints
    to_head_chance: Floats
    ratios: Floats
    ratios_chance: Floats
    rated: Ints

    @classmethod
    def of(
        cls, labels: Ints, predicted: Ints, trained_on: Ints, head: NDArray[np.bool_]
    ) -> WrongImages:
        """Sums the predictions of test images.

        Args:
            labels: (N,) true classes.
            predicted: (N,) predicted classes.
            trained_on: (K,) images of each class that were trained on, the prior that was learned.
            head: (K,) whether a class is many-shot.
        """
        classes = len(trained_on)

        def count(chosen: NDArray[np.bool_], weights: Floats | None = None) -> NDArray[np.float64]:
            kept = None if weights is None else weights[chosen]
            return np.bincount(labels[chosen], kept, minlength=classes).astype(np.float64)

        every = np.ones(len(labels), dtype=bool)
        wrong = labels != predicted
        trained = trained_on > 0
        logs = np.log(np.maximum(trained_on, 1))
        rated = wrong & trained[labels] & trained[predicted]
        others = np.maximum(trained.sum() - trained, 1)
        mean_other = (logs.sum() - logs) / others
        expected = mean_other - logs
        heads = (head.sum() - head) / max(classes - 1, 1)
        return cls(
            tested=count(every).astype(np.int64),
            wrong=count(wrong).astype(np.int64),
            to_head=count(wrong & head[predicted]).astype(np.int64),
            to_head_chance=count(wrong) * heads,
            ratios=count(rated, logs[predicted] - logs[labels]),
            ratios_chance=count(rated) * expected,
            rated=count(rated).astype(np.int64),
        )

    def head_shares(self, members: NDArray[np.bool_]) -> tuple[float, float] | None:
        """Returns the share of the test images of some classes that head classes take, in percent.

        Args:
            members: (K,) whether a class counts.

        Returns:
            Share, and the one expected by chance; None without test images.
        """
        tested = self.tested[members].sum()
        if not tested:
            return None
        taken, chance = self.to_head[members].sum(), self.to_head_chance[members].sum()
        return float(100 * taken / tested), float(100 * chance / tested)

    def log_priors(
        self, members: NDArray[np.bool_], bootstrap: ClassBootstrap
    ) -> tuple[ClassMean, float, ClassMean] | None:
        """Returns the mean log prior that the errors of some classes imply; None without errors.

        Args:
            members: (K,) whether a class counts.
            bootstrap: Bootstrap over classes.

        Returns:
            Mean, its expectation by chance, and the mean of the difference.
        """
        sizes = self.rated[members].astype(np.float64)
        mean = bootstrap.ratio(self.ratios[members], sizes)
        excess = bootstrap.ratio((self.ratios - self.ratios_chance)[members], sizes)
        if mean is None or excess is None:
            return None
        return mean, float(self.ratios_chance[members].sum() / sizes.sum()), excess
