"""Metrics, statistics, comparisons and leaderboards of stored predictions."""

from __future__ import annotations
