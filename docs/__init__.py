"""What makes pages of the documentation, and the site."""

from __future__ import annotations
