"""Errors of stored models by class and shot group, computed from stored predictions."""

from __future__ import annotations
