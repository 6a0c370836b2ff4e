"""Leaderboards: stored runs as rows, ranked where they can be compared."""

from __future__ import annotations
