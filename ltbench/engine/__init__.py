"""Runs: built from their choices, trained, evaluated and rebuilt."""

from __future__ import annotations
