"""Statistics on stored predictions."""

from __future__ import annotations
