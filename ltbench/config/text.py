"""Values whose type is still open."""

from __future__ import annotations


class Text(str):
    """A value as a user typed it: its type is that of the option it is for."""
