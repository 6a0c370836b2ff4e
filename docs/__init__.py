"""Generators of the documentation's pages, and hooks of the site."""

from __future__ import annotations
