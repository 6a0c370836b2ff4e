"""McNemar's exact test of two models on the same images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class McNemar:
    """Result of McNemar's test: counts of the images on which two models differ.

    Args:
        only_first: Number of images that only the first model recognises.
        only_second: Number of images that only the second model recognises.
        p: Exact two-sided p value.
    """

    only_first: int
    only_second: int
    p: float


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """Tests whether one model recognises more images that the other does not (McNemar, 1947).

    Under the null hypothesis, an image that exactly one model recognises is equally likely to be
    either model's. The p value is that of Binomial(n, 1/2), and 1 where the models differ on no
    image.

    Args:
        only_first: Number of images that only the first model recognises.
        only_second: Number of images that only the second model recognises.
    """
    from scipy.stats import binomtest

    n = only_first + only_second
    p = float(binomtest(only_first, n, 0.5).pvalue) if n else 1.0
    return McNemar(only_first, only_second, p)
