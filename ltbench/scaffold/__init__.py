"""Scaffold of plugin packages, which `ltbench plugin new` writes."""

from __future__ import annotations
