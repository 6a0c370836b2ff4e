"""`ltbench plugin`: listing, checking and creating plugins."""

from __future__ import annotations
