"""Public leaderboard: packed results of many people, verified, as a static site."""

from __future__ import annotations
