"""Grids: reading, planning and executing many runs.

Re-exports nothing: a worker process imports `worker` alone.
"""

from __future__ import annotations
