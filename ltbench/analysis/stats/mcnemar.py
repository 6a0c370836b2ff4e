"""McNemar's exact test: are two models right equally often on the same images?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class McNemar:
    """Counts of the images on which two models differ.

    Args:
        only_first: Images that only the first model has right.
        only_second: Images that only the second has right.
        p: Two-sided, exact.
    """

    only_first: int
    only_second: int
    p: float


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """Tests whether either model is the likelier one to be alone right (McNemar, 1947).

    Under the null an image that one of them has right is as likely to be the other's: the p value
    is that of Binomial(n, 1/2), and 1 where they differ on no image.
    """
    from scipy.stats import binomtest

    n = only_first + only_second
    p = float(binomtest(only_first, n, 0.5).pvalue) if n else 1.0
    return McNemar(only_first, only_second, p)
