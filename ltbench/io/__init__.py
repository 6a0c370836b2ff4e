"""Edges of the process: files, locks and cached arrays, signals, streams, and text for others."""

from __future__ import annotations
