"""Leaderboards: stored runs as rows, ranked where they are comparable."""

from __future__ import annotations
