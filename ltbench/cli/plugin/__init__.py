"""`ltbench plugin`: plugins of one's own, from the first file to the last check."""

from __future__ import annotations
