"""Preparation of data sets: downloads, archives, links."""

from __future__ import annotations
