"""Comparisons of stored runs: on the same images, across seeds, across data sets."""

from __future__ import annotations
