"""Metrics, statistics, comparisons and leaderboards computed from stored predictions."""

from __future__ import annotations
