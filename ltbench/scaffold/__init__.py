"""Writes packages for plugin authors to start from: `ltbench plugin new`."""

from __future__ import annotations
