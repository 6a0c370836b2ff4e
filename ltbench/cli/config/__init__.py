"""`ltbench config`: configuration file of the user."""

from __future__ import annotations
