"""Verbs of `ltbench board`, one module each."""

from __future__ import annotations
