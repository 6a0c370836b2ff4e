"""`ltbench grid`: many runs from one file."""

from __future__ import annotations
