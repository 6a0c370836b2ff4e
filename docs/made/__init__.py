"""Generators of pages and of parts of pages."""

from __future__ import annotations
