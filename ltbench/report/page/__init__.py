"""The page of a report: its content, and its rendering as one HTML file."""

from __future__ import annotations
