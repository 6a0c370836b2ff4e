"""Decoding of image files to pixels."""

from __future__ import annotations
