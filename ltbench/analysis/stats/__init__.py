"""Statistical tests and intervals for stored predictions and seeds: pure functions on arrays.

`ltbench docs statistics` lists which question each of them answers.
"""

from __future__ import annotations
