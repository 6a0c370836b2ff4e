"""Runs of a grid: what is done of them, what the rest will take, and running them.

Re-exports nothing: a worker imports `worker` alone.
"""

from __future__ import annotations
