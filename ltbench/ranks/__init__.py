"""Ranks: several processes that execute one run together, and the collectives between them."""

from __future__ import annotations
