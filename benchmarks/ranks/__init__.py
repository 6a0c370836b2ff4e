"""Agreement of runs that are executed by several processes with those of one process."""

from __future__ import annotations
