"""Sections of a report, each computed from stored runs."""

from __future__ import annotations
