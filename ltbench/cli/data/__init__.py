"""`ltbench data`: which data sets there are, how they get in place, and whether they are whole."""

from __future__ import annotations
