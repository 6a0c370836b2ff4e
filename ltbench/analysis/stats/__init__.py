"""Statistics on stored predictions and seeds: pure functions on arrays, one idea a file.

`docs/statistics.md` says which answers which question.
"""

from __future__ import annotations
