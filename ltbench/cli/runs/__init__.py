"""Verbs of `ltbench runs`: stored runs are listed, shown, compared, tagged, removed and shared."""

from __future__ import annotations
