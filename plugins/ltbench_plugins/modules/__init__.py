"""Torch modules and functions that the components build; imported late."""

from __future__ import annotations
