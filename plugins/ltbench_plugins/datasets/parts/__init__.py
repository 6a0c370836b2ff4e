"""Shared parts of the data sets, none of which is a component."""

from __future__ import annotations
