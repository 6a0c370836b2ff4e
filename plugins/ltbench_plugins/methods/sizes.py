"""The paper's rule for sizes that are not given."""

from __future__ import annotations

import math


def automatic_size(ratio: float) -> int:
    """Returns the largest power of two not over a ratio, and at least 1.

    The ratio sets the number of classes against that of the blocks, so that a method's new weights
    are about as many as the head's (LIFT+, arXiv:2504.13282).

    >>> [automatic_size(classes / (2 * 12)) for classes in (10, 100, 365, 1000)]
    [1, 4, 8, 32]
    """
    return int(2 ** max(0, math.floor(math.log2(ratio))))
