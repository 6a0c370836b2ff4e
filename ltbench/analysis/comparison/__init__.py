"""Comparisons of stored runs: on the same images, across data sets, and with published numbers."""

from __future__ import annotations
